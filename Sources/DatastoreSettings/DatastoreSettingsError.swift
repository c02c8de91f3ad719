/// Why settings of a datastore cannot be used.
public struct DatastoreSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was read, and what is wrong with it.
  public let description: String
  /// What to do about it; may be empty.
  public let advice: String

  public init(_ description: String, advice: String = "") {
    self.description = description
    self.advice = advice
  }
}
