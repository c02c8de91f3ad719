import CalicoModel
public import Datastore

/// What an execution wants next.
public enum Step<Result: Sendable>: Sendable {
  case read([Read])
  case commit(Plan)
  case done(Result)
  case failed(EngineError)
}

/// Runs one operation against whatever the caller reads and commits for it: a state machine without input, output,
/// clock or dice, so that the same answers give the same run.
///
/// It repeats what conflicted, up to ``maximumAttempts`` times, settles commits whose answer was lost, and at the end
/// takes back counts for which no address was got, and claims of blocks that it has announced and not made. The caller adds pauses, deadlines and the store.
public struct Execution<Op: Operation>: Sendable {
  /// How often an operation is planned before it gives up (specification section 0.2).
  public static var maximumAttempts: Int { 100 }

  public private(set) var operation: Op
  private var planner = Planner()
  private var reads: [Read] = []
  private var draft: Draft?
  private var plan = Plan()
  /// Entries of the draft that were written before an answer was lost.
  private var applied: Set<Key> = []
  private var isInDoubt = false
  private var repetitions = 0
  private var ending: Ending?
  private var claims = AnnouncedClaims()
  private var compensation: Compensation?
  /// How many commits met a conflict.
  public private(set) var conflicts = 0

  private enum Ending: Sendable {
    case done(Op.Result)
    case failed(EngineError)
  }

  /// An execution.
  ///
  /// - Parameters:
  ///   - operation: what is to be done.
  ///   - recordsDecisions: whether ``decisions`` are of interest.
  public init(_ operation: Op, recordsDecisions: Bool = false) {
    self.operation = operation
    if recordsDecisions { planner.trace = DecisionTrace() }
  }

  /// Why the operation came to what it came to, in the order in which that was decided; empty when it was not to be
  /// recorded. What was decided anew after a conflict stands behind what it replaces.
  public var decisions: [Decision] { planner.trace?.decisions ?? [] }

  /// Whether what is asked for now only takes back what an unsuccessful commit left: it deserves time even when the
  /// operation has none left.
  public var isCompensating: Bool { compensation != nil }

  /// How many nanoseconds of the monotonic clock have passed since the operation's time. Set by the caller before each
  /// call; what is made late must not be numbered by a time that has passed.
  public var elapsed: Int64 {
    get { planner.elapsed }
    set { planner.elapsed = newValue }
  }

  /// What to do first, or next.
  public mutating func next() -> Step<Op.Result> {
    if compensation != nil { return nextOfCompensation() }
    do throws(Halt) {
      switch try operation.plan(&planner) {
      case .done(let result): return end(.done(result))
      case .commit(let draft):
        self.draft = draft
        plan = draft.plan
        applied = []
        isInDoubt = false
        repetitions = 0
        return .commit(plan)
      }
    } catch {
      switch error {
      case .read(let reads):
        self.reads = reads
        return .read(reads)
      case .failed(let error): return end(.failed(error))
      }
    }
  }

  /// Takes in what was read, one result for each read that was asked for.
  public mutating func resume(with results: [ReadResult]) -> Step<Op.Result> {
    if compensation != nil {
      compensation?.planner.merge(reads, results)
    } else {
      planner.merge(reads, results)
    }
    return next()
  }

  /// Takes in what became of the plan that was to be committed.
  public mutating func resume(with outcome: Outcome) -> Step<Op.Result> {
    if compensation != nil { return resumeCompensation(with: outcome) }
    claims.note(outcome, of: plan)
    switch outcome {
    case .applied:
      settle(isComplete: true)
      return next()
    case .unknown(_, let writes) where repetitions < 3 && !makesBlock:
      // The same comparison again: it succeeds if nothing was written, and otherwise what is there tells.
      note(writes)
      isInDoubt = true
      repetitions += 1
      plan = plan.remaining(after: writes)
      return .commit(plan)
    case .unknown(_, let writes):
      // That there is no block does not tell whether it was made: it may be gone again. The next has another number.
      note(writes)
      isInDoubt = true
      settle(isComplete: false)
      conflicts += 1
      guard conflicts < Self.maximumAttempts else { return giveUp() }
      return next()
    case .conflict(let key, let writes):
      note(writes)
      settle(isComplete: false)
      if case .resource = key { planner.forgetResources() }
      conflicts += 1
      guard conflicts < Self.maximumAttempts else { return giveUp() }
      return next()
    }
  }

  private var makesBlock: Bool {
    plan.changes.contains { change in
      if case .block = change.key { change.base == .absent } else { false }
    }
  }

  private mutating func note(_ writes: [Write]) {
    for write in writes where write.stage == .final {
      applied.insert(write.key)
    }
  }

  private mutating func settle(isComplete: Bool) {
    guard let draft else { return }
    let keys = draft.plan.changes.map(\.key)
    if isComplete { applied = Set(keys) }
    let settlement = Settlement(applied: applied, isComplete: isComplete, isInDoubt: isInDoubt)
    settleSurpluses(of: draft)
    planner.forget(keys)
    operation.settle(settlement)
    self.draft = nil
  }

  /// Notes what handles count too much after a commit that ended half way. A write that is in doubt may have been made:
  /// then nothing may come off, because a count that is too high is harmless and one that is too low is not.
  private mutating func settleSurpluses(of draft: Draft) {
    planner.surpluses.removeAll { surplus in
      // A write of the handle that may have been made has perhaps taken it off already.
      applied.contains(.handle(surplus.handleID))
        || isInDoubt && draft.handles[surplus.handleID]?.isChanged ?? false
    }
    guard !isInDoubt else { return }
    planner.surpluses += draft.increments.filter {
      applied.contains(.handle($0.handleID)) && !applied.contains(.block($0.block))
    }
    planner.surpluses += draft.decrements.filter {
      applied.contains(.block($0.block)) && !applied.contains(.handle($0.handleID))
    }
  }

  /// Ends after too many conflicts, with whatever was committed before.
  private mutating func giveUp() -> Step<Op.Result> {
    end(operation.partialResult(.contention).map { .done($0) } ?? .failed(.contention))
  }

  private mutating func end(_ ending: Ending) -> Step<Op.Result> {
    self.ending = ending
    let claims = claims.remaining
    guard planner.surpluses.isEmpty, claims.isEmpty else {
      compensation = Compensation(surpluses: planner.surpluses, claims: claims)
      return nextOfCompensation()
    }
    return last()
  }

  /// Ends because the store failed to read or to commit: what is left to do is to take back what was left, or nothing
  /// when that is what failed. The last step tells what the operation had come to before, or is a failure; the store's
  /// error is for the caller to tell.
  public mutating func abandon() -> Step<Op.Result> {
    if compensation != nil { return last() }
    if isInDoubt { settle(isComplete: false) }
    return end(.failed(.contention))
  }

  private func last() -> Step<Op.Result> {
    switch ending {
    case .done(let result): .done(result)
    case .failed(let error): .failed(error)
    // The ending is set before this is called.
    case nil: .failed(.contention)
    }
  }

  // MARK: - Taking back

  private mutating func nextOfCompensation() -> Step<Op.Result> {
    guard var current = compensation else { return last() }
    do throws(Halt) {
      let plan = try current.plan()
      compensation = current
      if plan.isEmpty { return last() }
      return .commit(plan)
    } catch {
      guard case .read(let reads) = error else {
        // A handle that cannot be read cannot be corrected either; counts that are too high are for the collector.
        guard !current.surpluses.isEmpty else { return last() }
        compensation?.surpluses = []
        return nextOfCompensation()
      }
      self.reads = reads
      return .read(reads)
    }
  }

  private mutating func resumeCompensation(with outcome: Outcome) -> Step<Op.Result> {
    switch outcome {
    case .applied: return last()
    case .unknown:
      // Taking off twice would make a count too low, too high is for the collector.
      return last()
    case .conflict(let key, let writes):
      compensation?.retry(after: writes, conflict: key)
      guard let compensation, compensation.attempts < Self.maximumAttempts else { return last() }
      return nextOfCompensation()
    }
  }
}
