import Synchronization

/// Something that happens a number of times, however often it is asked for.
final class Once: Sendable {
  private let left: Mutex<Int>

  init(times: Int = 1) { left = Mutex(times) }

  /// Whether it is to happen now.
  func take() -> Bool {
    left.withLock { left in
      guard left > 0 else { return false }
      left -= 1
      return true
    }
  }

  /// Whether it has happened as often as it was to.
  var isSpent: Bool { left.withLock { $0 == 0 } }
}
