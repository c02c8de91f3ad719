import CalicoModel
import Datastore
import IPAddressing
import JSON

/// What tells whether two datastores hold the same: how much of everything, and a digest of every address.
///
/// The digest is the FNV-1a checksum of 128 bits over one line for each address that is given out or cools down, in the
/// order of addresses: the address, its sequence number, its handle, the attributes of both owners, and since when it
/// cools down. It does not depend on how an engine writes that.
public struct MigrationSummary: Hashable, Sendable, CustomStringConvertible {
  public var pools = 0
  public var blocks = 0
  public var affinities = 0
  public var handles = 0
  /// Addresses that are given out.
  public var allocations = 0
  /// Addresses that were given back, and are not free yet.
  public var coolingDown = 0
  /// 32 hexadecimal digits.
  public var digest = Checksum().text

  public init() {}

  /// Counts.
  ///
  /// - Parameters:
  ///   - pools: how many pools there are.
  ///   - entries: everything else, in any order.
  /// - Throws: ``MigrationError`` for an entry that cannot be understood.
  init(pools: Int, _ entries: [MigrationEntry]) throws(MigrationError) {
    self.pools = pools
    var blocks: [(cidr: CIDR, index: Int)] = []
    for (index, entry) in entries.enumerated() {
      switch entry.key {
      case .block(let cidr): blocks.append((cidr, index))
      case .affinity: affinities += 1
      case .handle: handles += 1
      case .configuration, .host, .resource: break
      }
    }
    blocks.sort { ($0.cidr.address, $0.cidr.prefixLength) < ($1.cidr.address, $1.cidr.prefixLength) }
    self.blocks = blocks.count
    var checksum = Checksum()
    for (_, index) in blocks {
      guard case .block(let block) = try entries[index].value() else { continue }
      count(block, &checksum)
    }
    digest = checksum.text
  }

  private mutating func count(_ block: IPAMBlock, _ checksum: inout Checksum) {
    for ordinal in 0..<block.size {
      guard let attribute = block.attribute(at: ordinal) else { continue }
      if attribute.releasedAt == nil { allocations += 1 } else { coolingDown += 1 }
      let line: JSON = [
        .string(block.address(at: ordinal).description),
        block.allocationNumbers[ordinal].map { .number(JSONNumber($0)) } ?? .null,
        attribute.handleID.map { .string($0) } ?? .null, Self.document(attribute.owner),
        Self.document(attribute.alternateOwner),
        attribute.releasedAt.map { .string($0.description) } ?? .null,
      ]
      checksum.add(line.encoded())
      checksum.add(CollectionOfOne(UInt8(ascii: "\n")))
    }
  }

  private static func document(_ strings: [String: String]) -> JSON {
    let keys = strings.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return .object(JSONObject(keys.map { .init(key: $0, value: .string(strings[$0] ?? "")) }))
  }

  /// For people.
  public var description: String {
    "\(pools) pools, \(blocks) blocks, \(affinities) affinities, \(handles) handles, \(allocations) addresses in use, "
      + "\(coolingDown) cooling down, digest \(digest)"
  }
}

// MARK: - The line in the document

extension MigrationSummary {
  /// How the line begins: a comment of YAML, which other programs pass over.
  private static let marker = "# ipamctl datastore migrate export: "

  /// The line of a document that says what is in it, without its end.
  var comment: String {
    let document: JSON = [
      "pools": .number(JSONNumber(pools)), "blocks": .number(JSONNumber(blocks)),
      "affinities": .number(JSONNumber(affinities)), "handles": .number(JSONNumber(handles)),
      "allocations": .number(JSONNumber(allocations)), "coolingDown": .number(JSONNumber(coolingDown)),
      "digest": .string(digest),
    ]
    return Self.marker + String(decoding: document.encoded(), as: UTF8.self)
  }

  /// Reads such a line; nil for any other.
  init?(comment line: String) {
    guard line.hasPrefix(Self.marker), let document = try? JSON(parsing: Array(line.dropFirst(Self.marker.count).utf8)),
      case .object(let object) = document, let digest = object["digest"]?.stringValue
    else { return nil }
    func count(_ key: String) -> Int { object[key]?.numberValue?.int64.flatMap { Int(exactly: $0) } ?? 0 }
    pools = count("pools")
    blocks = count("blocks")
    affinities = count("affinities")
    handles = count("handles")
    allocations = count("allocations")
    coolingDown = count("coolingDown")
    self.digest = digest
  }
}
