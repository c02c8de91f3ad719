import CalicoModel

/// What a run remembers between looks.
struct ProcedureRun: Sendable {
  let procedure: PoolProcedure
  /// The document of the stand-in where this run has to create it.
  let newStandIn: Resource?
  /// How long workloads have to leave a pool, in milliseconds; nil for as long as it takes.
  let patience: UInt64?
  /// Whether the stand-in was seen with this run's record.
  private var hasSeenStandIn = false
  /// The step that was reported last.
  var announced: ProcedureStep?
  /// When the present waiting began, and what was seen last.
  var waiting: (step: ProcedureStep, since: UInt64, holders: [AddressHolder])?
  /// Whether another procedure has the source.
  var isRetreating = false
  /// The pool of which it was reported last that nobody has an address.
  var drained: PoolProcedure.Role?
  /// The stand-in as it was when this run deleted it.
  var deletedStandIn: StoredPool?
  /// How often each pool was disabled: somebody may enable it again every time.
  private var disablings: [PoolProcedure.Role: Int] = [:]

  init(_ procedure: PoolProcedure, newStandIn: Resource?, patience: UInt64?) {
    self.procedure = procedure
    self.newStandIn = newStandIn
    self.patience = patience
  }

  /// Stops when another run has written to the stand-in.
  mutating func checkTurn(_ observation: ProcedureObservation) throws(ProcedureError) {
    guard let standIn = observation.standIn else {
      // What this run created and did not delete, another one did.
      if hasSeenStandIn, announced?.removesStandIn != true { throw overtaken }
      return
    }
    let recorded = try standIn.procedure()
    if recorded?.turn == procedure.turn {
      hasSeenStandIn = true
      return
    }
    // A record that is gone was removed by this run itself, as the last thing; or there was none yet.
    if recorded == nil, announced == ProcedureStep(.forget, .standIn) { return }
    if recorded == nil, newStandIn != nil, announced == nil || announced == ProcedureStep(.create, .standIn) {
      throw ProcedureError(
        .refused,
        "IPPool \(procedure.standIn) was created by somebody else meanwhile; "
          + "nothing was changed")
    }
    throw overtaken
  }

  private var overtaken: ProcedureError {
    ProcedureError(
      .overtaken,
      "another run of this procedure has taken over, or ended it; this one stops. See 'ipamctl pool "
        + "\(procedure.kind.rawValue) --status'")
  }

  mutating func finished(_ step: ProcedureStep) {
    waiting = nil
    if step.action == .disable { disablings[step.role, default: 0] += 1 }
    if step == ProcedureStep(.putBack, .standIn) { deletedStandIn = nil }
  }

  /// Whether somebody keeps undoing the disabling of a pool.
  func isContested(_ role: PoolProcedure.Role) -> Bool { disablings[role, default: 0] >= 5 }
}

extension ProcedureStep {
  /// Whether the stand-in may be gone because of this step of the same run.
  fileprivate var removesStandIn: Bool {
    role == .standIn && [.delete, .awaitDeletion, .clear, .putBack].contains(action)
  }
}
