/// How long a watch need not look at the store: for as long as no commit leaves a trace.
struct WatchRest {
  /// The traces that commits had left before the last look, and how often they were found unchanged since.
  private var traces: FileTraces?
  private var unchanged = 0

  /// After so many times the store is looked at all the same.
  static let longest = 20

  /// Whether there may be something to see that the last look did not.
  ///
  /// - Parameter found: the traces now.
  /// - Returns: true when the store is to be looked at.
  mutating func ends(with found: FileTraces) -> Bool {
    guard let traces, traces.isSettled, traces == found, unchanged < Self.longest else {
      traces = found
      unchanged = 0
      return true
    }
    unchanged += 1
    return false
  }
}
