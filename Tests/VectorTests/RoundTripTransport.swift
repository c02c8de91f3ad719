import Datastore
import KubernetesClient
import Synchronization

/// Counts round trips: requests that are waiting at the same time go together, and count as one.
final class RoundTripTransport: KubernetesTransport {
  private struct State {
    var trips = 0
    var requests: [String] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
    var isGathering = false
  }

  private let base: any KubernetesTransport
  private let state = Mutex(State())

  init(_ base: any KubernetesTransport) {
    self.base = base
  }

  /// The round trips so far.
  var trips: Int { state.withLock { $0.trips } }
  /// What was asked, as `GET /api/v1/nodes/node1`.
  var requests: [String] { state.withLock { $0.requests } }

  func reset() {
    state.withLock { state in
      state.trips = 0
      state.requests = []
    }
  }

  func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    await join("\(request.method.rawValue) \(request.path)")
    return try await base.send(request, deadline: deadline)
  }

  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    try await base.stream(request, by: unit, idleTimeout: idleTimeout)
  }

  private func join(_ request: String) async {
    await withCheckedContinuation { continuation in
      let begins = state.withLock { state in
        state.requests.append(request)
        state.waiting.append(continuation)
        defer { state.isGathering = true }
        return !state.isGathering
      }
      if begins { Task { await self.leave() } }
    }
  }

  /// Lets all requests go that have come until nobody else comes.
  private func leave() async {
    var count = 0
    while state.withLock({ $0.waiting.count }) > count {
      count = state.withLock { $0.waiting.count }
      try? await Task.sleep(for: .milliseconds(40))
    }
    let waiting = state.withLock { state in
      state.trips += 1
      state.isGathering = false
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
