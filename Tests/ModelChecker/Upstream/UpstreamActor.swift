import CalicoModel
import Datastore

/// Runs upstream's code as a process: one request, one step.
struct UpstreamActor: Actor {
  private let owner: BlockOwner
  private let code: (inout UpstreamRun) throws(UpstreamHalt) -> ActorResult
  private var answers: [UpstreamAnswer] = []
  private var times: [Timestamp] = []
  private var request: UpstreamRequest?

  init(_ owner: BlockOwner, _ code: @escaping (inout UpstreamRun) throws(UpstreamHalt) -> ActorResult) {
    self.owner = owner
    self.code = code
  }

  mutating func begin(at time: Timestamp) -> ActorStep {
    times = [time]
    return next()
  }

  mutating func resume(with results: [ReadResult], at time: Timestamp) -> ActorStep {
    guard case .read(let read)? = request, let result = results.first else { return .done(ActorResult()) }
    answers.append(Self.answer(read, result))
    times.append(time)
    return next()
  }

  mutating func resume(with outcome: Outcome, isPresent: Bool, at time: Timestamp) -> ActorStep {
    guard case .write(let change)? = request else { return .done(ActorResult()) }
    switch outcome {
    case .applied(let revisions): answers.append(.written(revisions[change.key] ?? Revision(0)))
    case .conflict:
      let failure: UpstreamFailure =
        change.base == .absent ? .alreadyExists : isPresent ? .updateConflict : .doesNotExist
      answers.append(.failed(failure))
    case .unknown: answers.append(.failed(.other("no answer")))
    }
    times.append(time)
    return next()
  }

  private mutating func next() -> ActorStep {
    var run = UpstreamRun(owner: owner, answers: answers, times: times)
    do throws(UpstreamHalt) {
      return .done(try code(&run))
    } catch {
      switch error {
      case .wants(let request):
        self.request = request
        switch request {
        case .read(let read): return .read([read])
        case .write(let change): return .commit(Plan([change]))
        }
      case .failed(let failure): return .done(ActorResult(error: "\(failure)"))
      }
    }
  }

  private static func answer(_ read: Read, _ result: ReadResult) -> UpstreamAnswer {
    switch (read, result) {
    case (.entry(let key), .entry(let stored)): return .entry(stored.flatMap { entry(key, $0) })
    case (.list(let listing), .list(let list)):
      guard listing.scope == .resources(.ipPool) else {
        return .list(list.items.compactMap { item in item.stored.flatMap { entry(item.key, $0) } })
      }
      return .pools(
        list.items.compactMap { item in
          guard case .resource(_, let name) = item.key, let stored = item.stored else { return nil }
          return try? IPPool(decoding: stored.bytes, name: name)
        })
    default: return .failed(.other("no such answer"))
    }
  }

  /// The value of an entry; nil for one that cannot be understood, which the oracle does not let in.
  private static func entry(_ key: Key, _ stored: Stored) -> UpstreamEntry? {
    let value: Value? =
      switch key {
      case .block(let cidr): (try? stored.block(cidr)).map { .block($0) }
      case .affinity: (try? stored.affinity()).map { .affinity($0) }
      case .handle: (try? stored.handle()).map { .handle($0) }
      case .configuration: (try? stored.configuration()).map { .configuration($0) }
      case .host, .resource: .resource(stored.bytes)
      }
    return value.map { UpstreamEntry(key: key, value: $0, revision: stored.revision) }
  }
}

extension Process {
  /// The state machine of an operation of upstream's.
  func upstreamActor(in world: World, _ options: [ReleaseOption]) -> any Actor {
    switch action {
    case .upstreamAutoAssign(let v4, let v6, let handle):
      UpstreamActor(owner) { run throws(UpstreamHalt) in try run.autoAssign(v4: v4, v6: v6, handle: handle) }
    case .upstreamAssign(let pool, let index, let handle):
      UpstreamActor(owner) { run throws(UpstreamHalt) in
        try run.assign(world.pools[pool].address(index), handle: handle)
      }
    case .upstreamReleaseByHandle(let handle):
      UpstreamActor(owner) { run throws(UpstreamHalt) in try run.releaseByHandle(handle) }
    case .upstreamReleaseAddresses:
      UpstreamActor(owner) { run throws(UpstreamHalt) in try run.releaseIPs(options) }
    case .upstreamReleaseAffinities(let mustBeEmpty):
      UpstreamActor(owner) { run throws(UpstreamHalt) in try run.releaseHostAffinities(mustBeEmpty: mustBeEmpty) }
    default: OperatorActor(plan: Plan())
    }
  }
}
