import Synchronization

/// A request for a fresh listing, which any number of callers may raise and one task waits for.
final class RefreshSignal: Sendable {
  fileprivate struct State {
    var isRaised = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func raise() {
    let waiter = state.withLock { state in
      state.isRaised = true
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// Takes note that the listing begins; requests from now on are for another one.
  func clear() { state.withLock { $0.isRaised = false } }

  /// Whether a listing is asked for; requests from now on are for another one.
  func take() -> Bool {
    state.withLock { state in
      defer { state.isRaised = false }
      return state.isRaised
    }
  }

  /// Waits until a listing is asked for, or the task is cancelled.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // The handler below may have run already and found nobody.
          if state.isRaised || Task.isCancelled { return true }
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

extension RefreshSignal.State {
  fileprivate mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
    defer { waiter = nil }
    return waiter
  }
}
