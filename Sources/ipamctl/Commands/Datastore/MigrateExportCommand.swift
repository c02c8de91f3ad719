import ArgumentParser
import DatastoreMigration

/// `ipamctl datastore migrate export`
struct MigrateExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes everything that the datastore holds of address management to stdout.",
    discussion: """
      The datastore has to be locked. Everything is read twice, and written only when nothing has changed in between. \
      Nodes that have a 'k8s' orchestrator reference are called as Kubernetes calls them, and so is everything that \
      names them. The file says how many pools, blocks, affinities, handles and addresses it has, with a digest of all \
      addresses, which import compares; the same is printed on stderr.

      Exit status: 0 when everything was written, 1 otherwise; then nothing was.

      Example:
        ipamctl datastore migrate export --datastore etcdv3 > calico.yaml
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  func run() async throws { try await execute(datastore.read()).deliver() }

  func execute(_ session: Session) async -> Transcript {
    do throws(MigrationError) {
      let export = MigrationExport(session.store, lock: session.migrationLock) { session.progress.show($0) }
      let document = try await export.document()
      return Transcript(
        output: String(decoding: try document.text(), as: UTF8.self),
        errors: "\(session.store.name): \(try document.summary())\n")
    } catch {
      return .failed(error.description)
    }
  }
}
