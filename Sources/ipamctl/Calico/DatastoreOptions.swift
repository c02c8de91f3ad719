import ArgumentParser
import Datastore
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which datastore a command works on.
enum DatastoreKind: String, CaseIterable, ExpressibleByArgument {
  case sqlite
}

/// Where pools, blocks and handles are: what all commands on them have in common.
struct DatastoreOptions: ParsableArguments {
  @Option(help: "What keeps pools, blocks and handles. sqlite: a file on this host, the embedded datastore.")
  var datastore = DatastoreKind.sqlite

  @Option(help: ArgumentHelp("The file of the embedded datastore.", valueName: "path"))
  var database = SQLiteDatastore.defaultPath

  /// For scripts that were written for calicoctl; this datastore has no versions that could differ.
  @Flag(help: .hidden)
  var allowVersionMismatch = false

  func validate() throws {
    if database.isEmpty { throw ValidationError("--database is empty; name the file of the datastore") }
  }

  /// A session that reads; it creates nothing.
  func read() -> Session { open(.readOnly) }

  /// A session that may also write, and creates the datastore with its first write.
  func write() -> Session { open(.readWrite) }

  private func open(_ access: SQLiteDatastore.Options.Access) -> Session {
    switch datastore {
    case .sqlite:
      let options = SQLiteDatastore.Options(access: access)
      return Session(ChosenDatastore(embedded: SQLiteDatastore(path: database, options: options)))
    }
  }

  /// What to tell an operator who looks at a datastore that is not there; nil when it is.
  var absence: String? {
    guard datastore == .sqlite, access(database, F_OK) != 0, errno == ENOENT else { return nil }
    return "note: there is no datastore at \(database) yet; name another with --database, or create it with "
      + "'ipamctl apply'"
  }
}
