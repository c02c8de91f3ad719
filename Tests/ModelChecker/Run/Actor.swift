import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

/// What a process wants next.
enum ActorStep {
  case read([Read])
  case commit(Plan)
  case done(ActorResult)
}

/// An address that a process reports as assigned.
struct ReportedAddress {
  var address: IPAddress
  var number: UInt64
  /// Whether it says that the handle had it before.
  var isReused = false

  init(_ acquired: AcquiredAddress) {
    self.init(address: acquired.address.address, number: acquired.sequenceNumber, isReused: acquired.isReused)
  }

  init(address: IPAddress, number: UInt64, isReused: Bool = false) {
    self.address = address
    self.number = number
    self.isReused = isReused
  }
}

/// What a process ended with, as far as it can be checked.
struct ActorResult {
  var acquired: [ReportedAddress] = []
  /// Whether everything in the handles was released, if that was asked for.
  var hasReleasedHandles = false
  /// The options that are reported as released.
  var released: [ReleaseOption] = []
  /// Why it failed; nil when it did not.
  var error: String?
  /// Whether it met an entry that cannot be understood.
  var isUnreadable = false
}

/// A process, as a state machine that the history reads and commits for.
protocol Actor {
  mutating func begin(at time: Timestamp) -> ActorStep
  mutating func resume(with results: [ReadResult], at time: Timestamp) -> ActorStep
  /// `isPresent` tells whether the entry of a conflict exists.
  mutating func resume(with outcome: Outcome, isPresent: Bool, at time: Timestamp) -> ActorStep
}

/// An operation of the engine.
struct EngineActor<Op: Operation>: Actor {
  private var execution: Execution<Op>
  private var start = World.epoch
  private let summarize: (Op.Result) -> ActorResult

  init(_ operation: Op, _ summarize: @escaping (Op.Result) -> ActorResult) {
    execution = Execution(operation)
    self.summarize = summarize
  }

  mutating func begin(at time: Timestamp) -> ActorStep {
    start = time
    return step(execution.next())
  }

  mutating func resume(with results: [ReadResult], at time: Timestamp) -> ActorStep {
    execution.elapsed = time.nanoseconds - start.nanoseconds
    return step(execution.resume(with: results))
  }

  mutating func resume(with outcome: Outcome, isPresent: Bool, at time: Timestamp) -> ActorStep {
    execution.elapsed = time.nanoseconds - start.nanoseconds
    return step(execution.resume(with: outcome))
  }

  private func step(_ step: Step<Op.Result>) -> ActorStep {
    switch step {
    case .read(let reads): .read(reads)
    case .commit(let plan): .commit(plan)
    case .done(let result): .done(summarize(result))
    case .failed(let error): .done(ActorResult(error: error.description, isUnreadable: error.code == .unreadable))
    }
  }
}

/// An operation that cannot even begin.
struct FailedActor: Actor {
  let error: EngineError

  func begin(at time: Timestamp) -> ActorStep { .done(ActorResult(error: error.description)) }

  func resume(with results: [ReadResult], at time: Timestamp) -> ActorStep { begin(at: time) }

  func resume(with outcome: Outcome, isPresent: Bool, at time: Timestamp) -> ActorStep { begin(at: time) }
}

/// An operator, who overwrites what people configure.
struct OperatorActor: Actor {
  let plan: Plan

  func begin(at time: Timestamp) -> ActorStep { .commit(plan) }

  func resume(with results: [ReadResult], at time: Timestamp) -> ActorStep { .done(ActorResult()) }

  func resume(with outcome: Outcome, isPresent: Bool, at time: Timestamp) -> ActorStep { .done(ActorResult()) }
}
