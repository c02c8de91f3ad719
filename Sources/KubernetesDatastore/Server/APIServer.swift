import Datastore
import KubernetesClient

/// Sends requests, waits when the server wants to be left alone, and tells what is certain from what is not.
struct APIServer: Sendable {
  let transport: any KubernetesTransport
  /// For how long, in milliseconds, a read whose answer was lost is sent again. Whoever has waited that long for a server
  /// that says nothing has asked it twice already.
  var patience: UInt64 = 10_000

  /// What became of a request.
  enum Answer: Sendable {
    case done([UInt8])
    /// The server refused it: nothing was done.
    case refused(ServerStatus)
    /// Nobody knows whether it was done.
    case lost(DatastoreError)
    /// Nothing was done, and nothing can be.
    case failed(DatastoreError)
  }

  /// How often a read is sent again whose answer was lost.
  private static let readAttempts = 3

  /// Sends a request that changes nothing.
  ///
  /// - Returns: never ``Answer/lost(_:)``: what is read can be read again.
  func read(_ request: KubernetesRequest, _ target: RequestTarget, deadline: Deadline) async -> Answer {
    var attempts = 0
    let end = min(deadline, .after(milliseconds: patience))
    while true {
      let answer = await send(request, target, deadline: deadline)
      guard case .lost(let error) = answer else { return answer }
      attempts += 1
      if attempts >= Self.readAttempts || end.hasPassed { return .failed(error) }
    }
  }

  /// Sends a request that writes; it is repeated only when the server has certainly not begun with it.
  func write(_ request: KubernetesRequest, _ target: RequestTarget, deadline: Deadline) async -> Answer {
    await send(request, target, deadline: deadline)
  }

  private func send(_ request: KubernetesRequest, _ target: RequestTarget, deadline: Deadline) async -> Answer {
    while true {
      let response: KubernetesResponse
      do throws(KubernetesTransportError) {
        response = try await transport.send(request, deadline: deadline)
      } catch {
        return Self.answer(error)
      }
      if (200..<300).contains(response.status) { return .done(response.body) }
      let status = ServerStatus(response.status, response.body)
      guard let pause = Self.pause(response, isRead: request.method == .get) else {
        // An answer that says only that it went wrong does not say when.
        return response.status >= 500 && request.method != .get
          ? .lost(target.error(status)) : .refused(status)
      }
      guard deadline.millisecondsLeft > pause * 1000, await Self.sleep(seconds: pause) else {
        return .failed(target.error(status))
      }
    }
  }

  /// How many seconds to wait before the request is sent again; nil when it must not be.
  ///
  /// 429 is said before a request is begun, and so is 503 with a time to wait (Kubernetes API concepts, "API priority and
  /// fairness"). A read may be sent again in any case.
  private static func pause(_ response: KubernetesResponse, isRead: Bool) -> UInt64? {
    switch response.status {
    case 429: UInt64(max(1, response.retryAfter ?? 1))
    case 503 where response.retryAfter != nil || isRead: UInt64(max(1, response.retryAfter ?? 1))
    default: nil
    }
  }

  private static func sleep(seconds: UInt64) async -> Bool {
    do {
      try await Task.sleep(for: .seconds(seconds))
      return true
    } catch {
      return false
    }
  }

  /// What a transport's error means.
  static func answer(_ error: KubernetesTransportError) -> Answer {
    switch error.code {
    case .lost: .lost(DatastoreError(.unavailable, error.description, advice: error.advice))
    case .unreachable: .failed(DatastoreError(.unavailable, error.description, advice: error.advice))
    case .refusedCertificate, .settings:
      .failed(DatastoreError(.unusable, error.description, advice: error.advice))
    }
  }
}
