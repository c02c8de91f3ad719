/// Why a store cannot be read or written.
public struct DatastoreError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The store cannot be reached, or did not answer before the deadline.
    case unavailable
    /// What is there is not a store of this kind, is damaged, or is of a newer version than this program.
    case unusable
    /// The caller may not read or write it.
    case forbidden
    /// The store has no such operation.
    case unsupported
  }

  public let code: Code
  /// What was attempted, on what, and what was found.
  public let description: String
  /// What to do about it; may be empty.
  public let advice: String

  public init(_ code: Code, _ description: String, advice: String = "") {
    self.code = code
    self.description = description
    self.advice = advice
  }
}
