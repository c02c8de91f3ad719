import CalicoModel
public import FileSystem
import IPAddressing
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The report that `ipam check -o` writes and `ipam release --from-report` reads: every address that is given out, and
/// handles that hold none (calicoctl specification, section 3.3).
///
/// Who uses an address is not known when it is read, and a report is in the order of the addresses' texts. What is known
/// is therefore written into a file without a name as it comes, and put together at the end: of each address a few bytes
/// are held.
public final class AllocationReport {
  /// What a report says of the datastore as a whole.
  public struct Head: Sendable {
    /// The version of the program that made it.
    public var version = ""
    public var clusterGUID = ""
    public var isLocked = false
    public var revision = ""
    public var clusterType = ""

    public init(
      version: String, clusterGUID: String = "", isLocked: Bool = false, revision: String = "", clusterType: String = ""
    ) {
      self.version = version
      self.clusterGUID = clusterGUID
      self.isLocked = isLocked
      self.revision = revision
      self.clusterType = clusterType
    }
  }

  private struct Row {
    var address: IPAddress
    var start: Int
    var count: Int32
    /// The number of the address among all.
    var index: Int32
    var isBorrowed: Bool
    var isCooling: Bool
  }

  private let path: String
  private let file: FileDescriptor
  private let spool: FileDescriptor
  private var rows: [Row] = []
  private var pending: [UInt8] = []
  private var length = 0
  private var failure: SystemError?

  /// Begins a report.
  ///
  /// - Parameter path: the file; what is there is overwritten at once.
  /// - Throws: `SystemError` when it cannot be written.
  public init(path: String) throws(SystemError) {
    self.path = path
    file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o666)
    let draft = path + ".rows"
    spool = try File.open(draft, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
    unlink(draft)
  }

  /// Takes an address in.
  public func add(_ entry: IntegrityCheck.AllocationEntry) {
    var writer = JSONWriter(reservingCapacity: 384)
    func member(_ name: StaticString, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      writer.literal(",\n        ")
      writer.literal(name)
      writer.literal(": ")
      writer.string(value)
    }
    let attribute = entry.attribute
    writer.literal("        \"ip\": ")
    writer.string(entry.address.description)
    member("\"handle\"", attribute?.sanitizedHandleID)
    writer.literal(",\n        \"sequenceNumber\": ")
    writer.integer(entry.sequenceNumber)
    let owner = attribute?.hasOwnerAttributes == true ? attribute?.owner ?? [:] : [:]
    member("\"pod\"", owner["pod"])
    member("\"namespace\"", owner["namespace"])
    member("\"node\"", entry.node)
    member("\"type\"", owner["type"])
    member("\"creationTimestamp\"", owner["timestamp"])
    let bytes = writer.bytes
    rows.append(
      Row(
        address: entry.address, start: length, count: Int32(bytes.count), index: Int32(entry.index),
        isBorrowed: entry.isBorrowed, isCooling: attribute?.releasedAt != nil))
    length += bytes.count
    pending += bytes
    if pending.count >= 1 << 16 { flush() }
  }

  private func flush() {
    do throws(SystemError) { try File.writeAll(pending, to: spool) } catch { failure = failure ?? error }
    pending.removeAll(keepingCapacity: true)
  }

  /// Writes the report.
  ///
  /// - Parameters:
  ///   - head: what it says of the datastore.
  ///   - users: who uses an address, by its number among all.
  ///   - leakedHandles: handles that hold no address.
  /// - Throws: `SystemError` when it cannot be written.
  public func finish(
    _ head: Head, users: (Int) -> [String], leakedHandles: [LeakedHandle]
  ) throws(SystemError) {
    flush()
    if let failure { throw failure }
    var output: [UInt8] = Array("{\n  \"version\": ".utf8)
    output += Self.quoted(head.version) + Array(",\n  \"clusterGUID\": ".utf8) + Self.quoted(head.clusterGUID)
    output += Array(",\n  \"datastoreLocked\": \(head.isLocked),\n  \"clusterInformationRevision\": ".utf8)
    output += Self.quoted(head.revision) + Array(",\n  \"clusterType\": ".utf8) + Self.quoted(head.clusterType)
    output += Array(",\n  \"allocations\": {".utf8)
    rows.sort { Self.precedes($0.address, $1.address) }
    var isFirst = true
    for row in rows {
      output += Array("\(isFirst ? "" : ",")\n    \"\(row.address)\": [\n      {\n".utf8)
      isFirst = false
      output += try text(of: row)
      output += Self.tail(row, users(Int(row.index)))
      if output.count >= 1 << 16 {
        try File.writeAll(output, to: file)
        output.removeAll(keepingCapacity: true)
      }
    }
    output += Array(rows.isEmpty ? "}".utf8 : "\n  }".utf8)
    if !leakedHandles.isEmpty {
      output += Array(",\n  \"leakedHandles\": [".utf8)
      output += Array(leakedHandles.map(\.text).joined(separator: ",").utf8)
      output += Array("\n  ]".utf8)
    }
    output += Array("\n}".utf8)
    try File.writeAll(output, to: file)
  }

  private func text(of row: Row) throws(SystemError) -> [UInt8] {
    let number = spool.number
    var failure: Int32 = 0
    let count = Int(row.count)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let result = pread(number, buffer.baseAddress, count, row.start)
      if result < 0 { failure = errno }
      filled = max(0, result)
    }
    guard bytes.count == count else { throw SystemError(number: failure == 0 ? EIO : failure) }
    return bytes
  }

  /// What is known of an address only at the end.
  private static func tail(_ row: Row, _ users: [String]) -> [UInt8] {
    var text = ",\n        \"inUse\": \(!users.isEmpty)"
    if row.isBorrowed { text += ",\n        \"borrowed\": true" }
    if row.isCooling { text += ",\n        \"coolingDown\": true" }
    guard !users.isEmpty else { return Array((text + ",\n        \"owners\": null\n      }\n    ]").utf8) }
    let owners = users.map { "          " + String(decoding: quoted($0), as: UTF8.self) }.joined(separator: ",\n")
    return Array((text + ",\n        \"owners\": [\n\(owners)\n        ]\n      }\n    ]").utf8)
  }

  private static func quoted(_ text: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.string(text)
    return writer.bytes
  }

  /// The order of Go's maps: that of the bytes of the texts.
  private static func precedes(_ left: IPAddress, _ right: IPAddress) -> Bool {
    left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
  }
}

/// A handle that holds no address, as a report has it.
public struct LeakedHandle: Hashable, Sendable {
  public var identifier: String
  /// What tells it from another of the same name; nil where the datastore has no such thing.
  public var uid: String?
  public var revision: String

  public init(identifier: String, uid: String?, revision: String) {
    self.identifier = identifier
    self.uid = uid
    self.revision = revision
  }

  fileprivate var text: String {
    func quoted(_ text: String) -> String {
      var writer = JSONWriter()
      writer.string(text)
      return String(decoding: writer.bytes, as: UTF8.self)
    }
    return "\n    {\n      \"ID\": \(quoted(identifier)),\n      \"UID\": \(uid.map(quoted) ?? "null"),\n"
      + "      \"Revision\": \(quoted(revision))\n    }"
  }
}
