/// How far a migration is: what is being done, and to how many entries of address management it was done.
public struct MigrationProgress: Hashable, Sendable {
  /// What takes long.
  public enum Work: String, Hashable, Sendable {
    /// The datastore is read.
    case reading
    /// It is read again, and compared with what was read or written before.
    case comparing
    /// Entries are written.
    case writing
  }

  public var work: Work
  /// The entries that are done.
  public var done: Int
  /// All entries; nil where that is not known before the end.
  public var total: Int?

  /// Says it.
  public init(_ work: Work, _ done: Int, of total: Int? = nil) {
    self.work = work
    self.done = done
    self.total = total
  }
}
