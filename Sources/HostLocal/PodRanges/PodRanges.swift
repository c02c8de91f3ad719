import IPAddressing
import JSON

/// What the API server says of the networks from which a node's pods have their addresses.
struct PodRanges: Hashable {
  var node: String
  /// What tells the node from an earlier one of its name.
  var uid: String
  /// The API server's URL.
  var server: String
  /// `spec.podCIDRs`, of which the last of each family counts.
  var ranges: [String]

  /// Reads an answer of `calico-ipam-kubernetes pod-cidrs`; nil when it is none.
  init?(_ document: JSONObject) {
    guard let node = document["node"]?.stringValue, let uid = document["uid"]?.stringValue,
      let server = document["server"]?.stringValue, let list = document["podCIDRs"]?.arrayValue
    else { return nil }
    let ranges = list.compactMap(\.stringValue)
    guard ranges.count == list.count, ranges.allSatisfy({ CIDR($0) != nil }) else { return nil }
    self.node = node
    self.uid = uid
    self.server = server
    self.ranges = ranges
  }

  /// The members of an answer.
  var members: [JSONObject.Member] {
    [
      JSONObject.Member(key: "node", value: .string(node)), JSONObject.Member(key: "uid", value: .string(uid)),
      JSONObject.Member(key: "server", value: .string(server)),
      JSONObject.Member(key: "podCIDRs", value: .array(ranges.map { .string($0) })),
    ]
  }

  /// The network of a family (front-end specification, section 2.1).
  ///
  /// - Throws: ``HostLocalError`` in upstream's words when the node has none.
  func subnet(_ family: AddressFamily) throws(HostLocalError) -> String {
    guard !ranges.isEmpty else {
      throw HostLocalError(
        .configuration, "no podCidr for node \(node)",
        details: "the controller manager gives nodes their networks with --allocate-node-cidrs; see spec.podCIDRs")
    }
    let found = ranges.filter { CIDR($0)?.address.family == family }
    let list = ranges.joined(separator: ", ")
    if ranges.count > 1, found.isEmpty || found.count == ranges.count {
      throw HostLocalError(
        .configuration, "ClusterCIDR contains two ranges of the same type", details: "node \(node) has \(list)")
    }
    guard let last = found.last else {
      let word = family == .v4 ? "usePodCidr" : "usePodCidrIPv6"
      throw HostLocalError(
        .configuration, "\(word) found but there is no IPv\(family.rawValue) CIDR configured",
        details: "node \(node) has \(list)")
    }
    return last
  }
}
