/// An error that a backend reports to its caller.
///
/// Each module has an error type of its own; this is what the protocol layer needs to know of any of them. It alone
/// turns a category into a CNI error code.
public protocol IPAMFailure: Error, CustomStringConvertible {
  var category: FailureCategory { get }
  /// What was attempted, on what, and what was found. Texts that upstream's users match on stay as upstream has them.
  var message: String { get }
  /// What helps to act on it: figures, places, the next step. May be empty.
  var details: String { get }
}

extension IPAMFailure {
  public var description: String { details.isEmpty ? message : "\(message); \(details)" }
}

/// What kind of failure a caller is told of.
public enum FailureCategory: Hashable, Sendable {
  /// The operation could not be done, for a reason that the message tells.
  case failed
  /// The input of a verb that the backend defines itself is malformed.
  case invalidConfiguration
  /// No address can be given now (STATUS).
  case unavailable
}
