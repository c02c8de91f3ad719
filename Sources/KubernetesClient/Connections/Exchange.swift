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
  }

  private let state = Mutex(State())

  /// Whether anything of the request may have reached the server.
  var wasSent: Bool { state.withLock { $0.wasSent } }

  func didSendRequestHead(task: HTTPClient.Task<Response>, _ head: HTTPRequestHead) {
    state.withLock { $0.wasSent = true }
  }

  func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    state.withLock { state in
      state.wasSent = true
      state.response.status = Int(head.status.code)
      state.response.retryAfter = head.headers.first(name: "retry-after").flatMap { Int($0) }
      state.response.body.reserveCapacity(min(max(0, length), 1 << 20))
    }
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    let fits = state.withLock { state in
      guard state.response.body.count + buffer.readableBytes <= Self.limit else { return false }
      state.response.body.append(contentsOf: buffer.readableBytesView)
      return true
    }
    return fits
      ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(AnswerTooLong(limit: Self.limit))
  }

  func didFinishRequest(task: HTTPClient.Task<Response>) throws -> KubernetesResponse {
    state.withLock { $0.response }
  }
}

/// The server sends more than is taken.
struct AnswerTooLong: Error {
  /// In bytes.
  var limit: Int
}
