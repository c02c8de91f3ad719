import Datastore
import KubernetesClient
import Synchronization

/// Carries requests as another transport does, but for what a test wants to go wrong.
final class FaultyTransport: KubernetesTransport {
  /// What becomes of a request.
  enum Fault: Sendable {
    case none
    /// The server answers this without having seen the request.
    case answer(KubernetesResponse)
    /// The request never arrives, and nobody knows.
    case requestLost
    /// It is done, but its answer is lost.
    case answerLost
    /// Something else changes the server before the request is done.
    case after(@Sendable () async -> Void)
    case failure(KubernetesTransportError.Code)
  }

  private let base: any KubernetesTransport
  private let state: Mutex<(requests: [KubernetesRequest], fault: @Sendable (KubernetesRequest, Int) -> Fault)>

  init(_ base: any KubernetesTransport) {
    self.base = base
    state = Mutex(([], { _, _ in .none }))
  }

  /// What was asked since the last fault was set.
  var requests: [KubernetesRequest] { state.withLock { $0.requests } }

  /// Sets what goes wrong, given each request and its number from 0 on.
  func set(_ fault: @escaping @Sendable (KubernetesRequest, Int) -> Fault) {
    state.withLock { $0 = ([], fault) }
  }

  func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    let fault = state.withLock { state in
      defer { state.requests.append(request) }
      return state.fault(request, state.requests.count)
    }
    switch fault {
    case .none: return try await base.send(request, deadline: deadline)
    case .answer(let response): return response
    case .requestLost: throw KubernetesTransportError(.lost, "the connection ended")
    case .answerLost:
      _ = try await base.send(request, deadline: deadline)
      throw KubernetesTransportError(.lost, "the connection ended")
    case .after(let body):
      await body()
      return try await base.send(request, deadline: deadline)
    case .failure(let code): throw KubernetesTransportError(code, "no connection", advice: "plug it in")
    }
  }

  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    try await base.stream(request, by: unit, idleTimeout: idleTimeout)
  }
}

extension KubernetesResponse {
  /// An answer as the API server gives it.
  static func status(
    _ code: Int, reason: String = "", message: String = "no", fields: [String] = [], retryAfter: Int? = nil
  ) -> KubernetesResponse {
    let causes = fields.map { #"{"reason":"FieldValueInvalid","message":"no","field":"\#($0)"}"# }
    let text =
      #"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"\#(message)","reason":"\#(reason)","#
      + #""details":{"causes":[\#(causes.joined(separator: ","))]},"code":\#(code)}"#
    return KubernetesResponse(status: code, body: Array(text.utf8), retryAfter: retryAfter)
  }
}
