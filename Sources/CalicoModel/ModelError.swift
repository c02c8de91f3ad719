/// A stored value that cannot be understood.
public struct ModelError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The text is no JSON, or a member has the wrong type.
    case malformed
    /// The value contradicts itself: it must not be changed until it is repaired (specification section 8.3, D22).
    case corrupt
  }

  public let code: Code
  /// What was found.
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
