import NIOCore
import Synchronization

/// Messages that came on a stream and that nobody has taken yet.
final class GRPCInbox: Sendable {
  fileprivate struct State {
    var messages: [ByteBuffer] = []
    var bytes = 0
    /// Whether the sender was told to wait.
    var isPaused = false
    var failure: GRPCFailure?
    var waiter: CheckedContinuation<Void, Never>?
  }

  /// With more than this the stream stands still until somebody has taken something.
  private static let capacity = 1 << 20

  private let state = Mutex(State())

  /// Takes in messages.
  ///
  /// - Returns: whether the sender is to wait from now on.
  func append(_ messages: [ByteBuffer]) -> Bool {
    let (waiter, pauses) = state.withLock { state in
      state.messages += messages
      for message in messages { state.bytes += message.readableBytes }
      let pauses = !state.isPaused && state.bytes >= Self.capacity
      if pauses { state.isPaused = true }
      return (state.takeWaiter(), pauses)
    }
    waiter?.resume()
    return pauses
  }

  /// Nothing more will come.
  func end(_ failure: GRPCFailure) {
    let waiter = state.withLock { state in
      if state.failure == nil { state.failure = failure }
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// Takes everything that is there, and waits for something when there is nothing.
  ///
  /// - Returns: messages, at least one, and whether the sender has been waiting and is to go on; nil when the task is
  ///   cancelled.
  /// - Throws: ``GRPCFailure`` when the stream has ended, and all messages before that are taken.
  func take() async throws(GRPCFailure) -> (messages: [ByteBuffer], goesOn: Bool)? {
    while true {
      if Task.isCancelled { return nil }
      let (messages, goesOn, failure) = state.withLock { state in
        defer {
          state.messages = []
          state.bytes = 0
          state.isPaused = false
        }
        return (state.messages, state.isPaused, state.failure)
      }
      if !messages.isEmpty { return (messages, goesOn) }
      if let failure { throw failure }
      await wait()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // The handler below may have run already and found nobody.
          if !state.messages.isEmpty || state.failure != nil || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.takeWaiter() }?.resume()
    }
  }
}

extension GRPCInbox.State {
  fileprivate mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
    defer { waiter = nil }
    return waiter
  }
}
