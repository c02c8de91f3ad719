import CalicoModel
public import Datastore

/// Begins procedures, goes on with them and back from them.
///
/// Every write compares with what was read. Whatever becomes of a write, the pools are looked at again, and the next step
/// is what they ask for; so a run may be cut off anywhere, and several may meet: the one that began last goes on, the
/// others find that out and stop (``ProcedureError/Code/overtaken``).
public struct ProcedureRunner<Store: Datastore>: Sendable {
  let store: Store
  let surroundings: ProcedureSurroundings
  let report: @Sendable (ProcedureEvent) -> Void

  /// How long a disabled pool stays before it is deleted, so that assignments under way end (Calico IPAM specification,
  /// section 4.1.4).
  static var settlePause: Duration { .milliseconds(500) }
  /// How often the pools are looked at while others are waited for.
  static var lookPause: Duration { .milliseconds(500) }
  /// How long other programs have to make a pool usable, or to let a deleted one go, in milliseconds.
  static var patience: UInt64 { 60_000 }
  /// How long one operation on the store may take, in milliseconds.
  static var storePatience: UInt64 { 90_000 }
  /// How often others may get ahead of a run before it gives up.
  static var maximumConflicts: Int { 50 }

  /// A runner.
  ///
  /// - Parameters:
  ///   - store: where the pools are.
  ///   - surroundings: time and chance.
  ///   - report: hears of every step.
  public init(
    _ store: Store, _ surroundings: ProcedureSurroundings, report: @escaping @Sendable (ProcedureEvent) -> Void
  ) {
    self.store = store
    self.surroundings = surroundings
    self.report = report
  }

  var reader: PoolReader<Store> { PoolReader(store, now: surroundings.now) }
}

// MARK: - Before

extension ProcedureRunner {
  /// Looks at everything that decides whether a procedure may begin. Writes nothing.
  ///
  /// - Parameter request: what is wanted.
  /// - Returns: what would be done.
  /// - Throws: ``ProcedureError``: `notFound`, or `refused` with everything that stands in the way.
  public func propose(_ request: ProcedureRequest) async throws -> ProcedureProposal {
    var survey = PoolSurvey()
    let (pools, unreadable) = try await reader.pools()
    survey.pools = pools
    survey.unreadable = unreadable.map(\.description)
    survey.configuration = try await reader.configuration()
    survey.reserved = try await reader.reservations()
    survey.isLocked = try await reader.isLocked()
    if let range = survey.pool(request.source)?.pool.cidr {
      survey.source = try await reader.holdings(in: range)
      survey.labels = try await reader.labels(of: survey.source.hosts)
    }
    let standInRange =
      switch request {
      case .migration(_, let name, let cidr, _): survey.pool(name)?.pool.cidr ?? cidr
      case .resizing(_, _, _, let cidr): cidr
      }
    if let standInRange { survey.standIn = try await reader.holdings(in: standInRange) }
    var check = ProcedureCheck(request, survey)
    return try check.proposal(turn: surroundings.makeUUID(), beganAt: surroundings.now().description)
  }

  /// The procedures that are under way, in the order of the stand-ins' names.
  ///
  /// - Throws: ``ProcedureError`` of code `unreadable`.
  public func procedures() async throws -> [PoolProcedure] {
    try await reader.pools().pools.compactMap { (pool) throws(ProcedureError) in try pool.procedure() }
  }

  /// The procedure of a kind that a pool is in, or the only one of the kind.
  ///
  /// - Parameters:
  ///   - kind: the kind.
  ///   - pool: the name of its source or stand-in; nil where there is but one.
  /// - Returns: the procedure as it is recorded.
  /// - Throws: ``ProcedureError``: `notFound`, `ambiguous` or `unreadable`.
  public func procedure(_ kind: PoolProcedure.Kind, of pool: String?) async throws -> PoolProcedure {
    let all = try await procedures()
    let found = all.filter { $0.kind == kind && (pool == nil || pool == $0.source || pool == $0.standIn) }
    if let only = found.first, found.count == 1 { return only }
    if found.isEmpty {
      let ending = pool.map { " of IPPool \($0)" } ?? ""
      throw ProcedureError(.notFound, "no 'pool \(kind.rawValue)'\(ending) is under way")
    }
    let names = found.map(\.source).joined(separator: ", ")
    throw ProcedureError(.ambiguous, "several are under way; name the pool: \(names)")
  }

  /// How the pools of a procedure are, and the steps that are left.
  ///
  /// - Parameters:
  ///   - procedure: the procedure.
  ///   - direction: where to; nil for where it is going.
  /// - Returns: what was seen, and the steps.
  /// - Throws: ``ProcedureError`` of code `stuck`, or what the store throws.
  public func outlook(
    of procedure: PoolProcedure, _ direction: PoolProcedure.Direction? = nil
  ) async throws -> (observation: ProcedureObservation, steps: [ProcedureStep]) {
    var procedure = procedure
    procedure.direction = direction ?? procedure.direction
    let observation = try await reader.observe(procedure)
    var situation = observation.situation
    // Workloads may come to a pool for as long as it is enabled.
    for role in PoolProcedure.Role.allCases where situation[role] == .enabled {
      if role == .source {
        situation.sourceUse.addresses = max(1, situation.sourceUse.addresses)
      } else {
        situation.standInUse.addresses = max(1, situation.standInUse.addresses)
      }
    }
    return (observation, procedure.foreseen(from: situation))
  }
}

// MARK: - Running

extension ProcedureRunner {
  /// Begins a procedure, and goes on to its end.
  ///
  /// - Parameters:
  ///   - proposal: what ``propose(_:)`` found possible.
  ///   - patience: how long workloads have to leave a pool, in milliseconds; nil for as long as it takes.
  /// - Throws: ``ProcedureError``, or what the store throws. What was done until then stays, and can be continued.
  public func begin(_ proposal: ProcedureProposal, patience: UInt64?) async throws {
    if let existing = proposal.standIn {
      let record = proposal.procedure.recorded(existing.resource)
      guard try await write(record, over: existing) else {
        throw ProcedureError(.conflict, "IPPool \(existing.name) was changed meanwhile; look again, and begin anew")
      }
    }
    try await run(proposal.procedure, creating: proposal.newStandIn, patience: patience)
  }

  /// Takes a procedure over, wherever it stands, and goes on to its end or back to its beginning.
  ///
  /// - Parameters:
  ///   - found: the procedure as it was read.
  ///   - direction: where to; nil for where it was going.
  ///   - patience: how long workloads have to leave a pool, in milliseconds; nil for as long as it takes.
  /// - Throws: ``ProcedureError``, or what the store throws.
  public func resume(
    _ found: PoolProcedure, _ direction: PoolProcedure.Direction?, patience: UInt64?
  ) async throws {
    for _ in 0..<Self.maximumConflicts {
      guard let pool = try await reader.pools().pools.first(where: { $0.name == found.standIn }),
        var procedure = try pool.procedure(), procedure.beganAt == found.beganAt, procedure.source == found.source
      else { throw ProcedureError(.notFound, "the procedure of IPPool \(found.source) has ended meanwhile") }
      procedure.direction = direction ?? procedure.direction
      procedure.turn = surroundings.makeUUID()
      if try await write(procedure.recorded(pool.resource), over: pool) {
        return try await run(procedure, creating: nil, patience: patience)
      }
    }
    throw ProcedureError(.conflict, "IPPool \(found.standIn) was changed again and again by others; try again")
  }

  private func run(_ procedure: PoolProcedure, creating newStandIn: Resource?, patience: UInt64?) async throws {
    var run = ProcedureRun(procedure, newStandIn: newStandIn, patience: patience)
    var conflicts = 0
    while true {
      let observation = try await reader.observe(procedure)
      do throws(ProcedureError) {
        try run.checkTurn(observation)
      } catch {
        try await takeBackMark(procedure, observation)
        throw error
      }
      if observation.situation.claim == .foreign { run.isRetreating = true }
      guard let step = try await nextStep(&run, observation) else {
        if run.isRetreating, procedure.direction == .forward { throw ProcedureError.outrun(procedure) }
        return
      }
      endWaiting(&run, for: step)
      if step == ProcedureStep(.delete, .standIn) { run.deletedStandIn = observation.standIn }
      switch step.action {
      case .drain, .awaitUse, .awaitDeletion:
        try await wait(step, &run, observation)
      default:
        if run.announced != step {
          run.announced = step
          // Where nobody had an address nothing was waited for.
          if step.action == .delete, run.drained != step.role { report(.done(ProcedureStep(.drain, step.role))) }
          if step.isShown { report(.begins(step)) }
        }
        if try await apply(step, run, observation) {
          conflicts = 0
          run.finished(step)
          if step.isShown { report(.done(step)) }
        } else {
          conflicts += 1
          guard conflicts < Self.maximumConflicts else {
            throw ProcedureError(
              .conflict,
              "others changed IPPool \(procedure.name(of: step.role)) again and again; "
                + "continue when they rest")
          }
          try await surroundings.pause(.milliseconds(Int64(min(conflicts, 20) * 5)))
        }
      }
    }
  }

  /// Removes the mark of a run that was overtaken, when it came after the other one had left the source alone for good.
  private func takeBackMark(_ procedure: PoolProcedure, _ observation: ProcedureObservation) async throws {
    guard let source = observation.source, source.mark == ProcedureMark(procedure) else { return }
    var resource = source.resource
    resource[annotation: ProcedureAnnotations.mark] = nil
    // Where it is not removed any more somebody else has written his own.
    _ = try await write(resource, over: source)
  }

  /// The next step; at the end, a last look at what the last step may have met.
  private func nextStep(
    _ run: inout ProcedureRun, _ observation: ProcedureObservation
  ) async throws -> ProcedureStep? {
    if let step = run.procedure.next(observation.situation) {
      // Only a new procedure has a stand-in to create; a later run without one has nothing to go by.
      if step == ProcedureStep(.create, .standIn), run.newStandIn == nil {
        throw ProcedureError(
          .stuck,
          "IPPool \(run.procedure.standIn), the pool to use meanwhile, "
            + "was deleted by others")
      }
      return step
    }
    guard let deleted = run.deletedStandIn, let range = deleted.pool.cidr else { return nil }
    let holdings = try await reader.holdings(in: range)
    if holdings.use.addresses > 0 { return ProcedureStep(.putBack, .standIn) }
    return holdings.use.blocks > 0 ? ProcedureStep(.clear, .standIn) : nil
  }
}

extension ProcedureError {
  fileprivate static func outrun(_ procedure: PoolProcedure) -> ProcedureError {
    ProcedureError(
      .refused,
      "IPPool \(procedure.source) is in another procedure, which was begun at the same time; this one was taken back, and "
        + "the pool was not changed")
  }
}
