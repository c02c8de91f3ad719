import CalicoModel
public import Datastore
public import IPAddressing

/// Makes a handle count what it holds (Calico IPAM specification, section 6.3 item 2).
///
/// A handle counts up before its block is written and down afterwards, so a count that is too high may be somebody's who
/// is still at work. The caller has therefore seen the handle at this revision, with the same fault, long enough before:
/// ``patience`` seconds, which is longer than any operation takes. Every block whose count is wrong is written unchanged
/// but for its sequence number: whoever still wants to write an older state of it fails.
public struct RepairHandle: Operation {
  /// How long ago the handle must have been seen at the same revision with the same fault, in seconds.
  public static let patience: Int64 = 300

  private let handleID: String
  private let revision: Revision?
  private let blocks: [CIDR]
  private var outcome: RepairOutcome?

  /// The operation.
  ///
  /// - Parameters:
  ///   - handleID: the handle.
  ///   - revision: the revision at which it was seen; nil when it was missing although blocks name it.
  ///   - blocks: blocks that name the handle; those that the handle names are looked at anyway.
  public init(_ handleID: String, at revision: Revision?, blocks: [CIDR]) {
    self.handleID = handleID
    self.revision = revision
    self.blocks = blocks
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<RepairOutcome> {
    if let outcome { return .done(outcome) }
    // The handle is read before the blocks, so that no count of it can be newer than they are.
    let found = try planner.handle(handleID)
    let base = found?.base ?? .absent
    guard base == revision.map({ .revision($0) }) ?? .absent else { return .done(.changed) }
    var handle = found?.handle ?? IPAMHandle()
    let named = Set(handle.counts.keys).union(blocks).sorted { $0.address < $1.address }
    try planner.require(named.map { .entry(.block($0)) })
    var draft = Draft()
    draft.releases = true
    var isSound = !handle.isEmpty || found == nil
    for cidr in named {
      let stored = try planner.block(cidr)
      let truth = stored?.block.ordinals(ofHandle: handleID).count ?? 0
      guard truth != handle.counts[cidr] ?? 0 else { continue }
      isSound = false
      handle.setCount(truth, of: cidr)
      if let (block, base) = stored {
        draft.blocks[cidr] = Draft.WorkingBlock(base: base, block: block, isTouched: true)
        draft.blocks[cidr]?.block.sequenceNumber += 1
      }
    }
    if isSound { return .done(.sound) }
    draft.handles[handleID] = Draft.WorkingHandle(base: base, handle: handle, isChanged: true)
    return draft.isEmpty ? .done(.sound) : .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    outcome = settlement.isComplete ? .repaired : .changed
  }
}
