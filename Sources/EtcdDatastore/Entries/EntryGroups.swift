import CalicoModel
import Datastore
import IPAddressing

/// The changes of a plan that belong together: those of one block, its affinity, and the handles that count its
/// addresses.
struct EntryGroups {
  /// Indexes of changes, in the plan's order; the groups in the order of their first changes.
  let groups: [[Int]]

  init(_ plan: Plan) {
    var leaders = Array(plan.changes.indices)
    func leader(_ index: Int) -> Int {
      var index = index
      while leaders[index] != index { index = leaders[index] }
      return index
    }
    var firstOf: [CIDR: Int] = [:]
    for (index, change) in plan.changes.enumerated() {
      for block in Self.blocks(of: change) {
        guard let first = firstOf[block] else {
          firstOf[block] = index
          continue
        }
        let (one, other) = (leader(first), leader(index))
        leaders[max(one, other)] = min(one, other)
      }
    }
    var groups: [Int: [Int]] = [:]
    for index in plan.changes.indices { groups[leader(index), default: []].append(index) }
    self.groups = groups.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The blocks that a change is about. A handle that is deleted, or counts nothing any more, tells of none: it comes
  /// after the blocks whose addresses it counted, where the plan has it.
  private static func blocks(of change: Change) -> [CIDR] {
    switch change.key {
    case .block(let cidr), .affinity(_, let cidr): [cidr]
    case .handle:
      if case .value(.handle(let handle)) = change.final { Array(handle.counts.keys) } else { [] }
    case .configuration, .host, .resource: []
    }
  }
}
