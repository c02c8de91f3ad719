import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Takes the whole answer to one request, and knows whether the request has been sent.
final class Exchange: HTTPClientResponseDelegate {
  typealias Response = KubernetesResponse

  /// The longest answer that is taken, in bytes: far more than a page of a listing.
  static let limit = 256 << 20

  private struct State {
    var wasSent = false
    var response = KubernetesResponse(status: 0)
    /// When something of the request was sent, or of the answer came, for the last time.
    var progress = NIODeadline.distantPast
    var timer: Scheduled<Void>?
  }

  private let patience: TimeAmount
  private let state = Mutex(State())

  /// An exchange that has not begun.
  ///
  /// - Parameter patience: how long the server may say nothing, from the request on, before the connection counts as
  ///   dead. A long answer may take as long as it keeps coming.
  init(patience: TimeAmount) {
    self.patience = patience
  }

  /// Whether anything of the request may have reached the server.
  var wasSent: Bool { state.withLock { $0.wasSent } }

  func didSendRequestHead(task: HTTPClient.Task<Response>, _ head: HTTPRequestHead) {
    state.withLock { state in
      state.wasSent = true
      state.progress = .now()
    }
    listen(task)
  }

  func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    state.withLock { state in
      state.wasSent = true
      state.progress = .now()
      state.response.status = Int(head.status.code)
      state.response.retryAfter = head.headers.first(name: "retry-after").flatMap { Int($0) }
      state.response.body.reserveCapacity(min(max(0, length), 1 << 20))
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    let fits = state.withLock { state in
      state.progress = .now()
      guard state.response.body.count + buffer.readableBytes <= Self.limit else { return false }
      state.response.body.append(contentsOf: buffer.readableBytesView)
      return true
    }
    return fits
      ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(AnswerTooLong(limit: Self.limit))
  }

  func didFinishRequest(task: HTTPClient.Task<Response>) throws -> KubernetesResponse {
    state.withLock { state in
      state.timer?.cancel()
      state.timer = nil
      return state.response
    }
  }

  func didReceiveError(task: HTTPClient.Task<Response>, _ error: any Error) {
    state.withLock { state in
      state.timer?.cancel()
      state.timer = nil
    }
  }

  /// Ends the exchange when nothing has come for the whole of the time. The timer is set anew only when it runs out, not
  /// with each piece of an answer.
  private func listen(_ task: HTTPClient.Task<Response>) {
    state.withLock { state in
      let end = state.progress + patience
      state.timer = task.eventLoop.scheduleTask(deadline: end) { [self] in
        let isSilent = self.state.withLock { $0.progress + patience <= .now() }
        if isSilent { task.fail(reason: SilentServer()) } else { listen(task) }
      }
    }
  }
}

/// The server sends more than is taken.
struct AnswerTooLong: Error {
  /// In bytes.
  var limit: Int
}
