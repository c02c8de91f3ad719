import Synchronization

/// What is known of a connection, for whoever has one and not its event loop.
final class ConnectionHealth: Sendable {
  private struct State {
    var takesCalls = true
    var cause: String?
  }

  private let state = Mutex(State())

  /// Whether new calls may be made.
  var takesCalls: Bool { state.withLock { $0.takesCalls } }

  /// Why the connection was lost, or is about to be; nil when nobody said.
  var cause: String? { state.withLock { $0.cause } }

  /// No more calls; the first cause is the one that counts.
  func end(_ cause: String?) {
    state.withLock { state in
      state.takesCalls = false
      if state.cause == nil { state.cause = cause }
    }
  }
}
