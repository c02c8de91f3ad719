/// Why a migration does not go on. What was written until then is right, and the same command goes on from there.
public struct MigrationError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The datastore is not locked.
    case unlocked
    /// The file is no migration document, or not the one that was written.
    case malformed
    /// What is stored cannot be understood, or changes while it is read.
    case unreadable
    /// The datastore has data of somebody else.
    case occupied
    /// What the document says cannot be stored in this datastore.
    case unsuitable
    /// The datastore cannot be read or written.
    case datastore
    /// What was written is not what the document says.
    case unverified
  }

  public let code: Code
  /// What was attempted, on what, and what was found; with the next step where there is one.
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
