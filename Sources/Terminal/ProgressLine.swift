import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One line at the bottom of a terminal that says how far long work is, and leaves no trace when it ends.
///
/// Nothing is ever written to what is no terminal. Work that is done in a moment shows nothing, so that short commands do
/// not flicker; after that the line changes a few times a second, however often it is told.
public final class ProgressLine: Sendable {
  /// How long work has to last before anything is shown, in nanoseconds.
  private static let patience: UInt64 = 400_000_000
  /// The shortest time between two changes, in nanoseconds.
  private static let interval: UInt64 = 100_000_000
  /// Back to the first column, and away with what is there (ECMA-48: carriage return, then erase in line).
  private static let clearing = "\r\u{1b}[K"

  /// The line below what the process says on standard error.
  public static let ofProcess = ProgressLine(
    descriptor: STDERR_FILENO, isTerminal: isCapable(STDERR_FILENO), now: monotonic)

  private struct State {
    /// When the work was first told of; nil between two pieces of work.
    var began: UInt64?
    var shownAt: UInt64?
  }

  private let descriptor: Int32
  private let isTerminal: Bool
  private let now: @Sendable () -> UInt64
  private let state = Mutex(State())

  /// A line on any descriptor.
  ///
  /// - Parameters:
  ///   - descriptor: where it is written.
  ///   - isTerminal: whether that is a terminal that can erase a line; if not, nothing is written.
  ///   - now: nanoseconds of a clock that never goes back.
  public init(descriptor: Int32, isTerminal: Bool, now: @escaping @Sendable () -> UInt64) {
    self.descriptor = descriptor
    self.isTerminal = isTerminal
    self.now = now
  }

  /// Says how far the work is, in place of what was said before.
  ///
  /// - Parameter text: a few words, computed only when they are shown. What is wider than the terminal is cut off.
  public func show(_ text: @autoclosure () -> String) {
    guard isTerminal else { return }
    let moment = now()
    let isDue = state.withLock { state in
      guard let began = state.began else {
        state.began = moment
        return false
      }
      guard moment - began >= Self.patience, moment - (state.shownAt ?? 0) >= Self.interval else { return false }
      state.shownAt = moment
      return true
    }
    if isDue { write(Self.clearing + Self.cut(PrintableText.of(text()), to: width)) }
  }

  /// Takes the line away, before anything else is written to the terminal and when the work is done.
  public func erase() {
    let wasShown = state.withLock { state in
      defer { state = State() }
      return state.shownAt != nil
    }
    if wasShown { write(Self.clearing) }
  }

  /// A text of fewer columns than the terminal has: a line that wraps round could not be erased.
  static func cut(_ text: String, to width: Int) -> String {
    guard text.unicodeScalars.count >= width else { return text }
    var kept = String.UnicodeScalarView()
    kept.append(contentsOf: text.unicodeScalars.prefix(max(0, width - 2)))
    return String(kept) + "…"
  }

  /// The columns of the terminal; 80 where it does not say.
  private var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes what it can: a progress line that is lost is no failure of the work.
  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Self.write(descriptor, $0) }
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  /// Whether a descriptor is a terminal that knows how to erase a line.
  private static func isCapable(_ descriptor: Int32) -> Bool {
    guard isatty(descriptor) == 1 else { return false }
    guard let terminal = getenv("TERM") else { return false }
    return strcmp(terminal, "dumb") != 0 && strcmp(terminal, "") != 0
  }

  private static let monotonic: @Sendable () -> UInt64 = {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension Int {
  /// The number as people read it: `1,234,567`.
  public var grouped: String {
    var digits = Array(String(magnitude))
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: index)
      index -= 3
    }
    return (self < 0 ? "-" : "") + String(digits)
  }
}
