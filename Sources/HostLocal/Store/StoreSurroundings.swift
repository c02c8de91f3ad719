import CNI
import FileSystem

/// What a store takes from its process and host, apart from its own directory.
struct StoreSurroundings: Sendable {
  /// Where indexes live.
  var indexPlace = ReservationIndex.defaultPlace
  /// Where it is read which boot of which machine this is. Read when needed, because most calls do without.
  var identity = BootIdentity.Source()
  /// After so many seconds of waiting for the lock its holder is named.
  var lockPatience: UInt32 = 5
  /// Releases what the attachment at hand holds under another strategy.
  var releaseElsewhere: @Sendable () -> Void = {}
  /// Whether the attachment at hand holds what it should under another strategy.
  var findElsewhere: @Sendable () -> Bool = { false }
  /// Takes warnings, a line each.
  var log: @Sendable (String) -> Void
}

/// A failed system call in upstream's words, as text for a log.
enum SystemMessage {
  static func text(_ operation: String, _ path: String, _ errorNumber: Int32) -> String {
    "\(operation) \(path): \(systemReason(errorNumber))"
  }
}
