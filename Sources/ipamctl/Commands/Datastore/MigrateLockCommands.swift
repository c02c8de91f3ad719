import ArgumentParser
import DatastoreMigration

/// `ipamctl datastore migrate lock`
struct MigrateLockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Marks the datastore as not ready, so that Calico's plugin gives no pod a network.",
    discussion: """
      The mark is datastoreReady in the ClusterInformation, which is made if there is none. Exit status: 0 when the \
      datastore is locked, 1 otherwise.

      Example:
        ipamctl datastore migrate lock --datastore etcdv3
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  func run() async throws { try await execute(datastore.write()).deliver() }

  func execute(_ session: Session) async -> Transcript {
    do throws(MigrationError) {
      try await session.migrationLock.lock()
      return Transcript(output: "Datastore locked.\n")
    } catch {
      return .failed(error.description)
    }
  }
}

/// `ipamctl datastore migrate unlock`
struct MigrateUnlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Marks the datastore as ready.",
    discussion: """
      Exit status: 0 when the datastore is unlocked, 1 otherwise.

      Example:
        ipamctl datastore migrate unlock --datastore kubernetes
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  func run() async throws { try await execute(datastore.write()).deliver() }

  func execute(_ session: Session) async -> Transcript {
    do throws(MigrationError) {
      try await session.migrationLock.unlock()
      return Transcript(output: "Datastore unlocked.\n")
    } catch {
      return .failed(error.description)
    }
  }
}

extension Session {
  /// The lock of the datastore.
  var migrationLock: MigrationLock { MigrationLock(store, surroundings: resourceSurroundings) }
}
