import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Takes an answer part by part while it comes.
///
/// The event loop puts parts in, one caller at a time takes them out. When more than a megabyte waits, the connection is
/// not read until some is taken.
final class AnswerFeed: HTTPClientResponseDelegate {
  typealias Response = Void

  /// What the answer's head turned out to be.
  enum Opening: Sendable {
    case accepted
    case refused(KubernetesResponse)
  }

  /// A line longer than this, in bytes, is an error.
  let longestLine: Int
  private static let enough = 1 << 20

  private struct State {
    var wasSent = false
    var response = KubernetesResponse(status: 0)
    /// The parts that have come, and how many bytes have.
    var parts: [[UInt8]] = []
    var size = 0
    /// The beginning of a line that has not come to its end.
    var rest: [UInt8] = []
    var end: Result<Void, any Error>?
    var opening: CheckedContinuation<Opening, any Error>?
    var reader: CheckedContinuation<[[UInt8]]?, any Error>?
    var timer: Scheduled<Void>?
    var timeout = TimeAmount.zero
    var pause: EventLoopPromise<Void>?
  }

  private let state = Mutex(State())

  private let unit: KubernetesStream.Unit

  init(_ unit: KubernetesStream.Unit, longestLine: Int = 64 << 20) {
    self.unit = unit
    self.longestLine = longestLine
  }

  /// Whether anything of the request may have reached the server.
  var wasSent: Bool { state.withLock { $0.wasSent } }

  // MARK: From the connection

  func didSendRequestHead(task: HTTPClient.Task<Void>, _ head: HTTPRequestHead) {
    state.withLock { $0.wasSent = true }
  }

  func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
    let opening = state.withLock { state -> CheckedContinuation<Opening, any Error>? in
      state.wasSent = true
      state.response.status = Int(head.status.code)
      state.response.retryAfter = head.headers.first(name: "retry-after").flatMap { Int($0) }
      guard head.status == .ok else { return nil }
      return Self.stopWaiting(&state, \.opening)
    }
    opening?.resume(returning: .accepted)
    return task.eventLoop.makeSucceededVoidFuture()
  }

  func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    let loop = task.eventLoop
    let (result, reader, parts) = state.withLock {
      state -> (EventLoopFuture<Void>, CheckedContinuation<[[UInt8]]?, any Error>?, [[UInt8]]) in
      guard state.response.status == 200 else {
        guard state.response.body.count + buffer.readableBytes <= Exchange.limit else {
          return (loop.makeFailedFuture(AnswerTooLong(limit: Exchange.limit)), nil, [])
        }
        state.response.body.append(contentsOf: buffer.readableBytesView)
        return (loop.makeSucceededVoidFuture(), nil, [])
      }
      take(buffer.readableBytesView, &state)
      guard state.rest.count <= longestLine else {
        return (loop.makeFailedFuture(AnswerTooLong(limit: longestLine)), nil, [])
      }
      if !state.parts.isEmpty, let reader = Self.stopWaiting(&state, \.reader) {
        return (loop.makeSucceededVoidFuture(), reader, Self.takeParts(&state))
      }
      restartTimer(&state, on: loop)
      // A line that is still coming must come to its end before it can be taken.
      guard state.size > Self.enough, !state.parts.isEmpty else { return (loop.makeSucceededVoidFuture(), nil, []) }
      let pause = loop.makePromise(of: Void.self)
      state.pause = pause
      return (pause.futureResult, nil, [])
    }
    reader?.resume(returning: parts)
    return result
  }

  func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) { finish(.failure(error)) }

  func didFinishRequest(task: HTTPClient.Task<Void>) { finish(.success(())) }

  private func finish(_ end: Result<Void, any Error>) {
    let (opening, response, reader, parts, pause) = state.withLock { state in
      state.end = state.end ?? end
      let pause = state.pause
      state.pause = nil
      if !state.rest.isEmpty, case .success = end {
        state.parts.append(state.rest)
        state.rest = []
      }
      let opening = Self.stopWaiting(&state, \.opening)
      let reader = Self.stopWaiting(&state, \.reader)
      return (opening, state.response, reader, reader == nil ? [] : Self.takeParts(&state), pause)
    }
    pause?.succeed()
    switch end {
    case .success:
      opening?.resume(returning: .refused(response))
      reader?.resume(returning: parts.isEmpty ? nil : parts)
    case .failure(let error):
      opening?.resume(throwing: error)
      reader?.resume(throwing: error)
    }
  }

  private func take(_ bytes: ByteBufferView, _ state: inout State) {
    state.size += bytes.count
    guard unit == .lines else { return state.parts.append(Array(bytes)) }
    var bytes = bytes[...]
    while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
      state.rest.append(contentsOf: bytes[..<end])
      if !state.rest.isEmpty { state.parts.append(state.rest) }
      state.rest = []
      bytes = bytes[bytes.index(after: end)...]
    }
    state.rest.append(contentsOf: bytes)
  }

  // MARK: To the caller

  /// Waits for the head of the answer, and for all of it when its status is not 200.
  func opening(_ timeout: TimeAmount, on loop: any EventLoop) async throws -> Opening {
    try await withCheckedThrowingContinuation { continuation in
      let known = state.withLock { state -> Result<Opening, any Error>? in
        switch state.end {
        case .failure(let error): return .failure(error)
        case .success: return .success(state.response.status == 200 ? .accepted : .refused(state.response))
        case nil: break
        }
        if state.response.status == 200 { return .success(.accepted) }
        state.opening = continuation
        state.timeout = timeout
        restartTimer(&state, on: loop)
        return nil
      }
      if let known { continuation.resume(with: known) }
    }
  }

  /// Waits for parts.
  ///
  /// - Parameters:
  ///   - timeout: how long nothing may come.
  ///   - loop: the event loop of the connection.
  /// - Returns: the parts that have come, at least one; nil at the end.
  /// - Throws: what ended the answer.
  func next(_ timeout: TimeAmount, on loop: any EventLoop) async throws -> [[UInt8]]? {
    try await withCheckedThrowingContinuation { continuation in
      let (known, pause) = state.withLock {
        state -> (Result<[[UInt8]]?, any Error>?, EventLoopPromise<Void>?) in
        if !state.parts.isEmpty {
          let pause = state.pause
          state.pause = nil
          return (.success(Self.takeParts(&state)), pause)
        }
        switch state.end {
        case .failure(let error): return (.failure(error), nil)
        case .success: return (.success(nil), nil)
        case nil: break
        }
        state.reader = continuation
        state.timeout = timeout
        restartTimer(&state, on: loop)
        return (nil, nil)
      }
      pause?.succeed()
      if let known { continuation.resume(with: known) }
    }
  }

  /// Ends the wait that is under way, for a caller who no longer wants the answer.
  func cancel() { finish(.failure(CancellationError())) }

  /// Nothing may come for the whole of the time from now on; only while somebody waits.
  private func restartTimer(_ state: inout State, on loop: any EventLoop) {
    guard state.reader != nil || state.opening != nil else { return }
    state.timer?.cancel()
    state.timer = loop.scheduleTask(in: state.timeout) { [self] in finish(.failure(SilentServer())) }
  }

  private static func takeParts(_ state: inout State) -> [[UInt8]] {
    let parts = state.parts
    state.parts = []
    state.size = state.rest.count
    return parts
  }

  private static func stopWaiting<Value>(
    _ state: inout State, _ waiter: WritableKeyPath<State, CheckedContinuation<Value, any Error>?>
  ) -> CheckedContinuation<Value, any Error>? {
    guard let continuation = state[keyPath: waiter] else { return nil }
    state[keyPath: waiter] = nil
    state.timer?.cancel()
    state.timer = nil
    return continuation
  }
}

/// The server has said nothing for too long.
struct SilentServer: Error {}
