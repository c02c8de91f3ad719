import ArgumentParser
import CNI
import DatastoreMigration
import DatastoreSettings
import Terminal

/// `ipamctl datastore migrate import`
struct MigrateImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Writes what export has written into another datastore.",
    discussion: """
      The datastore may have nothing of Calico's but what is in the file: an import that was cut off goes on when it is \
      run again, and data of anybody else is never touched. It is locked first and stays so: 'ipamctl datastore migrate \
      unlock' ends the migration. At last everything is read again and compared with the file, entry by entry.

      In Kubernetes the definitions of Calico's kinds (CRDs) have to be there, and so do the nodes; a node that is not is \
      named and skipped.

      Exit status: 0 when the datastore is what the file says, 1 otherwise.

      Example:
        ipamctl datastore migrate import --datastore kubernetes --kubeconfig cluster.kubeconfig -f calico.yaml
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(
    name: [.customShort("f", allowingJoined: true), .long],
    help: ArgumentHelp("The file that export has written, '-' for stdin.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var filename: String

  func run() async throws {
    // No version is compared: what comes with the file is the version of the other datastore.
    let session = try await datastore.open(writes: true, checksVersion: false)
    try await execute(session) { event in
      if case .advance(let progress) = event { return session.progress.show(progress) }
      session.progress.erase()
      switch event {
      case .progress(let line): print(line)
      case .warning(let line): CNIStreams.ofProcess.log(line)
      case .advance: break
      }
    }.deliver()
  }

  func execute(
    _ session: Session, tell: @escaping @Sendable (MigrationImport.Event) -> Void = { _ in }
  ) async -> Transcript {
    let text: [UInt8]
    do throws(HostFiles.Failure) {
      text = try filename == "-" ? HostFiles.standardInput() : HostFiles.input(filename)
    } catch {
      return .failed("error while reading migration file: open \(error)")
    }
    do throws(MigrationError) {
      let document = try MigrationDocument(parsing: text, name: filename)
      let migration = MigrationImport(
        document, into: session.store, isKubernetes: session.store.engine == .kubernetes,
        surroundings: session.resourceSurroundings, tell: tell)
      return Self.transcript(try await migration.run(), session.store.name)
    } catch {
      return .failed(error.description)
    }
  }

  private static func transcript(_ report: MigrationImport.Report, _ name: String) -> Transcript {
    var transcript = Transcript()
    transcript.line("Successfully applied \(report.entries) IPAM resource(s)")
    if report.present > 0 { transcript.line("\(report.present) resource(s) were there already, and as they should be") }
    transcript.line("\(name): \(report.summary)")
    transcript.line(
      "Everything in the datastore is as in the file. It stays locked until 'ipamctl datastore migrate unlock'.")
    transcript.line(
      "Datastore information successfully imported. Please refer to the datastore migration documentation for next steps."
    )
    return transcript
  }
}

extension ProgressLine {
  /// Says how far a migration is.
  func show(_ progress: MigrationProgress) {
    let of = progress.total.map { " of \($0.grouped)" } ?? ""
    show("\(progress.work.rawValue): \(progress.done.grouped)\(of) entries")
  }
}
