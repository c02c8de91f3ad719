import CalicoModel
public import Datastore
import Synchronization

#if canImport(Glibc)
  public import Glibc
#elseif canImport(Musl)
  public import Musl
#endif

/// Calico's entries in one SQLite file, for the processes of one host.
///
/// Any number of short-lived processes share the file: a log beside it lets them read while one writes, and writers take
/// turns at a lock of the kernel. Nothing is opened before the first call, and a call that only reads creates nothing: a
/// store that does not exist yet is empty.
///
/// A call runs to its end on the caller's thread: it starts no task and no thread, and waits for other processes at most
/// until its deadline. Several tasks may share one value.
public final class SQLiteDatastore: Datastore {
  /// Where the store is unless a configuration says otherwise.
  public static let defaultPath = "/var/lib/swift-ipam/ipam.db"

  /// How a store is opened.
  public struct Options: Hashable, Sendable {
    public enum Access: Hashable, Sendable {
      case readWrite
      /// Every write is refused. For members of the file's group: the file may be read by them, and so may its log (the
      /// same name with `-wal`) and the log's index (`-shm`), which SQLite makes with the file's mode and group.
      case readOnly
    }

    public var access: Access
    /// The group that may read a store made by this process; nil for the process's own.
    public var group: gid_t?
    /// How often a watch looks for changes.
    public var watchInterval: Duration
    /// The most memory for pages of the file, in KiB.
    var cacheKilobytes = 128
    /// The size of the log, in bytes, above which a commit empties it into the file.
    var logLimit = 800 * 1024

    public init(
      access: Access = .readWrite,
      group: gid_t? = nil,
      watchInterval: Duration = .milliseconds(500)
    ) {
      self.access = access
      self.group = group
      self.watchInterval = watchInterval
    }
  }

  public let path: String
  let file: StoreFile
  private let connection = Mutex<StoreFile.Opened?>(nil)

  /// A store in a file; the file is not touched yet.
  ///
  /// - Parameters:
  ///   - path: the file. Its directory is created when the store is.
  ///   - options: how to open it.
  public convenience init(path: String = SQLiteDatastore.defaultPath, options: Options = Options()) {
    self.init(path: path, options: options, schema: .current)
  }

  init(path: String, options: Options, schema: Schema) {
    self.path = path
    file = StoreFile(path: path, options: options, schema: schema)
  }

  public var commitsAtomically: Bool { true }

  /// Reads entries and ranges; all of them from the same moment.
  public func read(_ reads: [Read], deadline: Deadline) async throws(DatastoreError) -> [ReadResult] {
    let results = try reading(deadline) { (connection) throws(SQLiteError) in
      let table = EntryTable(connection: connection)
      var results: [ReadResult] = []
      for read in reads { results.append(try table.result(of: read)) }
      return results
    }
    return results
      ?? reads.map { read in
        switch read {
        case .entry: .entry(nil)
        case .list: .list(ListResult(items: []))
        }
      }
  }

  // MARK: The connection

  /// What a transaction came to, or how the file's version kept it from beginning.
  private enum Answer<Result: Sendable>: Sendable {
    case result(Result)
    case standing(Schema.Standing)
  }

  /// Reads on one state of the store.
  ///
  /// - Returns: what `body` returns; nil when there is no store.
  func reading<Result: Sendable>(
    _ deadline: Deadline,
    _ body: @Sendable (Connection) throws(SQLiteError) -> Result
  ) throws(DatastoreError) -> Result? {
    let schema = file.schema
    while true {
      try refuseLate(deadline, "read")
      let answer = try withOpened("read", deadline) { (opened) throws(SQLiteError) -> Answer<Result> in
        let connection = opened.connection
        return try connection.snapshot { () throws(SQLiteError) -> Answer<Result> in
          let standing = schema.standing(of: try Schema.version(connection))
          guard case .current = standing else { return .standing(standing) }
          return .result(try body(connection))
        }
      }
      switch answer {
      case nil: return nil
      case .result(let result): return result
      case .standing(.newer(let version)): throw FileHead.newer(version, path, schema)
      case .standing: try bringUpToDate(deadline)
      }
    }
  }

  /// Opens the store if it is there, and does something with it.
  ///
  /// - Parameters:
  ///   - attempt: what is done, for messages.
  ///   - deadline: how long SQLite may wait for others.
  ///   - body: does it.
  /// - Returns: what `body` returns; nil when there is no store.
  /// - Throws: ``DatastoreError`` when the store cannot be opened, or `body` fails.
  func withOpened<Result: Sendable>(
    _ attempt: String,
    _ deadline: Deadline,
    _ body: @Sendable (inout StoreFile.Opened) throws(SQLiteError) -> Result
  ) throws(DatastoreError) -> Result? {
    try connection.withLock { (state) throws(DatastoreError) -> Result? in
      // The file may have been replaced since, by a backup or by a new store.
      let present = try DatabaseFiles.present(at: path)
      if let opened = state, opened.file != present?.file { state = nil }
      if state == nil, let present { state = try file.open(present, deadline: deadline) }
      guard var opened = state else { return nil }
      do throws(SQLiteError) {
        opened.connection.setPatience(until: deadline)
        let result = try body(&opened)
        state = opened
        return result
      } catch {
        // After some failures a connection is of no use, and opening another one is cheap.
        state = nil
        throw error.described(attempt: attempt, path: path)
      }
    }
  }

  /// Brings an older store to the version of this program.
  private func bringUpToDate(_ deadline: Deadline) throws(DatastoreError) {
    guard file.options.access == .readWrite else {
      throw DatastoreError(
        .unusable,
        "\(path) was written by an earlier version, and may not be brought up to date by one who only reads",
        advice: "as root, use a command that writes"
      )
    }
    try WriteGate.pass(path, deadline: deadline) { () throws(DatastoreError) in
      try migrate(deadline)
    }
  }

  /// The same, for one who has passed the gate.
  func migrate(_ deadline: Deadline) throws(DatastoreError) {
    let schema = file.schema
    _ = try withOpened("bring up to date", deadline) { (opened) throws(SQLiteError) in
      try schema.migrate(opened.connection)
    }
  }

  func refuseLate(_ deadline: Deadline, _ attempt: String) throws(DatastoreError) {
    guard deadline.hasPassed else { return }
    throw DatastoreError(.unavailable, "cannot \(attempt) \(path): there is no time left for it")
  }
}
