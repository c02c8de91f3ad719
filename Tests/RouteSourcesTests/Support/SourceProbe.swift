import IPAddressing
import Routing
import Synchronization
import Testing

/// Runs a source of routes, and keeps what it tells.
final class SourceProbe: Sendable {
  /// What was told so far.
  struct Told: Sendable {
    var topology = Topology()
    var faults: [String: String] = [:]
    /// `snapshot`, `changes <count>`, `interrupted <reason>`, `fault <object>` and `well <object>`, in their order.
    var log: [String] = []
    var snapshots: Int { log.filter { $0 == "snapshot" }.count }

    mutating func take(_ event: RouteSourceEvent) {
      switch event {
      case .snapshot(let topology):
        self.topology = topology
        log.append("snapshot")
      case .changes(let changes):
        for change in changes { take(change) }
        log.append("changes \(changes.count)")
      case .interrupted(let reason): log.append("interrupted \(reason)")
      case .fault(let object, let reason):
        faults[object] = reason
        log.append((reason == nil ? "well " : "fault ") + object)
      }
    }

    private mutating func take(_ change: TopologyChange) {
      switch change {
      case .pool(let name, let pool): topology.pools[name] = pool
      case .node(let name, let node): topology.nodes[name] = node
      case .claim(let cidr, let claim): topology.claims[cidr] = claim
      }
    }
  }

  private struct State {
    var told = Told()
    var waiters: [UInt64: (isEnough: @Sendable (Told) -> Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
    var lastWaiter: UInt64 = 0
    var isOver = false
  }

  private let state = Mutex(State())
  private let task = Mutex<Task<Void, Never>?>(nil)

  /// Begins to run a source.
  init(_ source: some RouteSource) {
    let take: @Sendable (RouteSourceEvent) -> Bool = { [weak self] event in self?.take(event) ?? false }
    let task = Task { await source.run(take) }
    self.task.withLock { $0 = task }
  }

  deinit { task.withLock { $0?.cancel() } }

  private func take(_ event: RouteSourceEvent) -> Bool {
    let (waiters, isOver) = state.withLock { state in
      state.told.take(event)
      let told = state.told
      let done = state.waiters.filter { $0.value.isEnough(told) }
      for identifier in done.keys { state.waiters[identifier] = nil }
      return (done.values.map(\.continuation), state.isOver)
    }
    for waiter in waiters { waiter.resume() }
    return !isOver
  }

  var told: Told { state.withLock { $0.told } }

  /// Lets the next event be the last one.
  func listenNoMore() { state.withLock { $0.isOver = true } }

  /// Waits until what was told is as it should be.
  @discardableResult
  func wait(
    seconds: Int = 20, _ location: SourceLocation = #_sourceLocation, _ isEnough: @escaping @Sendable (Told) -> Bool
  ) async -> Told {
    let identifier = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    let timer = Task { [self] in
      do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
      guard let waiter = state.withLock({ $0.waiters.removeValue(forKey: identifier) }) else { return }
      Issue.record("was not told in time; told: \(told)", sourceLocation: location)
      waiter.continuation.resume()
    }
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if isEnough(state.told) { return true }
        state.waiters[identifier] = (isEnough, continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
    timer.cancel()
    return told
  }

  /// Stops the source, and waits until it has.
  func stop() async {
    let task = task.withLock { $0 }
    task?.cancel()
    await task?.value
  }

  /// Waits until the source has ended by itself.
  func ended() async {
    let task = task.withLock { $0 }
    await task?.value
  }
}
