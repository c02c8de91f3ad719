import CNI
import IPAddressing
import JSON

/// The words that stand for the network from which a node's pods have their addresses: `usePodCidr` and
/// `usePodCidrIPv6`, in any case, where a configuration has the subnet of a range (front-end specification, section
/// 2.1).
struct PodRangePlaceholders {
  /// The network of a family; for GC, CHECK and DEL any.
  typealias Subnet = (AddressFamily) throws(HostLocalError) -> String

  private let document: JSONObject

  /// Nil when the document has no such word.
  init?(_ document: JSONObject) {
    self.document = document
    guard Self.sections(document).contains(where: Self.isNeeded) else { return nil }
  }

  private static func sections(_ document: JSONObject) -> [JSONObject] {
    document.members.filter { $0.key.matchesFieldName("ipam") }.compactMap(\.value.objectValue)
  }

  private static func isNeeded(_ ipam: JSONObject) -> Bool {
    ipam.members.contains { member in
      if member.key.matchesFieldName("subnet") { return family(member.value) != nil }
      guard member.key.matchesFieldName("ranges"), let sets = member.value.arrayValue else { return false }
      return sets.contains { set in
        (set.arrayValue ?? []).contains { range in
          (range.objectValue?.members ?? []).contains { $0.key.matchesFieldName("subnet") && family($0.value) != nil }
        }
      }
    }
  }

  /// The family that a word stands for; nil for anything else.
  private static func family(_ value: JSON) -> AddressFamily? {
    switch value.stringValue?.lowercased() {
    case "usepodcidr": .v4
    case "usepodcidripv6": .v6
    default: nil
    }
  }

  // MARK: - With the node's networks

  /// The document with the node's networks in place of the words.
  ///
  /// - Parameter subnet: the node's network of a family.
  /// - Returns: the document.
  /// - Throws: ``HostLocalError`` when `ranges` is malformed, or what `subnet` throws.
  func resolved(_ subnet: Subnet) throws(HostLocalError) -> JSONObject {
    try rewritten { (range) throws(HostLocalError) in
      for index in range.members.indices where range.members[index].key.matchesFieldName("subnet") {
        guard let family = Self.family(range.members[index].value) else { continue }
        range.members[index].value = .string(try subnet(family))
      }
    }
  }

  // MARK: - Without them

  /// The document with ranges that nobody uses in place of the words, for verbs that look at what is reserved and not
  /// at what could be. Bounds within such a range would lie outside of its substitute, and go.
  ///
  /// - Throws: ``HostLocalError`` when `ranges` is malformed.
  func neutralized() throws(HostLocalError) -> JSONObject {
    var count: UInt128 = 0
    return try rewritten { (range) throws(HostLocalError) in
      let words = range.members.filter { $0.key.matchesFieldName("subnet") }.compactMap { Self.family($0.value) }
      guard let family = words.last else { return }
      let bounds = ["rangeStart", "rangeEnd", "gateway"]
      range.members.removeAll { member in bounds.contains { member.key.matchesFieldName($0) } }
      for index in range.members.indices where range.members[index].key.matchesFieldName("subnet") {
        range.members[index].value = .string(Self.substitute(family, count))
      }
      count += 1
    }
  }

  /// A network that is never given out, another for each number so that no two overlap: from 240.0.0.0/4, which is
  /// reserved (RFC 1112), and from 100::/64, of which packets are discarded (RFC 6666).
  private static func substitute(_ family: AddressFamily, _ number: UInt128) -> String {
    switch family {
    case .v4: IPAddress(v4: 0xF000_0000 | UInt32(truncatingIfNeeded: number & 0xFFFF) << 8).description + "/24"
    case .v6: IPAddress(v6: 0x0100 << 112 | number << 16).description + "/112"
    }
  }

  // MARK: - Rewriting

  /// The document with every range changed; `ipam` itself is one as well.
  private func rewritten(
    _ change: (inout JSONObject) throws(HostLocalError) -> Void
  ) throws(HostLocalError) -> JSONObject {
    var document = document
    for index in document.members.indices where document.members[index].key.matchesFieldName("ipam") {
      guard case .object(var ipam) = document.members[index].value else { continue }
      try change(&ipam)
      for place in ipam.members.indices where ipam.members[place].key.matchesFieldName("ranges") {
        ipam.members[place].value = try Self.rewritten(ipam.members[place].value, change)
      }
      document.members[index].value = .object(ipam)
    }
    return document
  }

  private static func rewritten(
    _ ranges: JSON, _ change: (inout JSONObject) throws(HostLocalError) -> Void
  ) throws(HostLocalError) -> JSON {
    if case .null = ranges { return ranges }
    guard case .array(var sets) = ranges else {
      throw malformed("failed to parse host-local IPAM ranges section; was expecting a list, not: ", ranges)
    }
    for index in sets.indices {
      guard case .array(var set) = sets[index] else {
        throw malformed("failed to parse host-local IPAM range set; was expecting a list, not: ", sets[index])
      }
      for position in set.indices {
        guard case .object(var range) = set[position] else { continue }
        try change(&range)
        set[position] = .object(range)
      }
      sets[index] = .array(set)
    }
    return .array(sets)
  }

  private static func malformed(_ text: String, _ value: JSON) -> HostLocalError {
    HostLocalError(
      .configuration, text + String(decoding: value.encoded(), as: UTF8.self),
      details: "`ranges` is a list of lists of objects with `subnet`")
  }
}
