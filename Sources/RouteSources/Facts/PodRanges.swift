import CalicoModel
import IPAddressing
import Routing

/// The ranges of nodes that each give their pods addresses from ranges of their own (routes specification, section 1.7).
///
/// A range may be given to a new node before the old one is seen to be gone. It is then the newer node's, in whatever
/// order the two are told.
struct PodRanges: Sendable {
  private struct Holder {
    var node: String
    var since: Timestamp?

    /// Whether this one has the range rather than another one that says so.
    func precedes(_ other: Holder) -> Bool {
      guard let since, let otherSince = other.since, since != otherSince else {
        // One that says when it was made before one that does not; else any order, as long as it is always the same.
        return (since != nil && other.since == nil) || (since == nil) == (other.since == nil) && node < other.node
      }
      return since > otherSince
    }
  }

  /// Who says to have a range; the first one has it.
  private var holders: [CIDR: [Holder]] = [:]
  private var ranges: [String: [CIDR]] = [:]

  /// Who has which range.
  var claims: [CIDR: Claim] {
    holders.compactMapValues { holders in holders.first?.node }.reduce(into: [:]) { claims, range in
      claims[range.key] = Claim(owners: [range.key: range.value])
    }
  }

  /// What is different after a node's ranges were taken in.
  struct Change {
    /// The ranges about which something is different, with who has them now.
    var claims: [CIDR: Claim?] = [:]
    /// The nodes that say to have one of them.
    var nodes: Set<String> = []
  }

  /// The ranges that a node has, of those that it says to have.
  func held(by node: String) -> [CIDR] {
    (ranges[node] ?? []).filter { holders[$0]?.first?.node == node }
  }

  /// Takes in the ranges of a node.
  ///
  /// - Parameters:
  ///   - ranges: all its ranges.
  ///   - node: its name.
  ///   - creation: when the node was made.
  /// - Returns: what is different.
  mutating func set(_ ranges: [CIDR], of node: String, since creation: Timestamp?) -> Change {
    var change = Change()
    let old = self.ranges[node] ?? []
    self.ranges[node] = ranges.isEmpty ? nil : ranges
    for range in Set(old).union(ranges) {
      var list = holders[range] ?? []
      let before = list.map(\.node)
      list.removeAll { $0.node == node }
      if ranges.contains(range) { list.append(Holder(node: node, since: creation)) }
      list.sort { $0.precedes($1) }
      holders[range] = list.isEmpty ? nil : list
      if list.map(\.node) == before { continue }
      change.claims.updateValue(list.first.map { Claim(owners: [range: $0.node]) }, forKey: range)
      change.nodes.formUnion(before + list.map(\.node))
    }
    return change
  }

  /// What is wrong when several nodes say to have a range; nil when one does.
  func contradiction(_ range: CIDR) -> String? {
    guard let holders = holders[range], holders.count > 1, let first = holders.first else { return nil }
    let names = holders.map(\.node).sorted().joined(separator: " and ")
    return "nodes \(names) have the same range of pod addresses; it is taken to be that of \(first.node), the newest"
  }
}
