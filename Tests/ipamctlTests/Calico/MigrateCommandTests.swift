import ArgumentParser
import CalicoModel
import Datastore
import DatastoreMigration
import DatastoreSettings
import IPAddressing
import Synchronization
import Testing

@testable import ipamctl

@Suite("ipamctl datastore migrate")
final class MigrateCommandTests {
  private let fixture: CalicoFixture

  init() async throws {
    fixture = try CalicoFixture()
    try await fixture.pool("pods", "10.65.0.0/16")
    try await fixture.block("10.65.0.0/26", "host:node-1", [.pod(0, "h1", node: "node-1"), .cooling(1)])
    try await fixture.handle("h1", ["10.65.0.0/26": 1])
  }

  private func lock() async throws -> Transcript { await MigrateLockCommand().execute(fixture.session) }

  /// Exports into a file, and returns its path.
  private func export() async throws -> String {
    let transcript = await MigrateExportCommand().execute(fixture.session)
    try #require(transcript.status == 0, "\(transcript.errors)")
    return try fixture.manifest(transcript.output)
  }

  private func importing(_ path: String, into session: Session) async throws -> Transcript {
    try await MigrateImportCommand.asyncParse(["-f", path]).execute(session)
  }

  private func session(_ engine: DatastoreEngine = .etcd) -> Session {
    Session(ChosenDatastore(InMemoryDatastore(), engine: engine, name: "elsewhere"))
  }

  @Test("locks and unlocks in calicoctl's words")
  func locking() async throws {
    #expect(try await lock() == Transcript(output: "Datastore locked.\n"))
    #expect(await MigrateUnlockCommand().execute(fixture.session) == Transcript(output: "Datastore unlocked.\n"))
    let information = try await fixture.text(.resource(.clusterInformation, "default"))
    #expect(information?.contains(#""datastoreReady":true"#) == true)
  }

  @Test("exports only what is locked")
  func unlocked() async throws {
    let transcript = await MigrateExportCommand().execute(fixture.session)
    #expect(transcript.status == 1)
    #expect(transcript.output.isEmpty)
    #expect(transcript.errors.hasPrefix("datastore is not locked. Run the `ipamctl datastore migrate lock` command"))
  }

  @Test("moves everything, and both sides print the same counts and digest")
  func moving() async throws {
    _ = try await lock()
    let exported = await MigrateExportCommand().execute(fixture.session)
    let path = try fixture.manifest(exported.output)
    let target = session()
    let imported = try await importing(path, into: target)
    #expect(imported.status == 0, "\(imported.errors)")
    let summary = try #require(exported.errors.split(separator: ": ").last)
    #expect(
      summary.hasPrefix("1 pools, 1 blocks, 0 affinities, 1 handles, 1 addresses in use, 1 cooling down, digest "))
    #expect(imported.output.contains("elsewhere: \(summary)"))
    #expect(imported.output.hasPrefix("Successfully applied 2 IPAM resource(s)\n"))
    #expect(imported.output.hasSuffix("Please refer to the datastore migration documentation for next steps.\n"))
    let block = try #require(CIDR("10.65.0.0/26"))
    let moved = try #require(try await target.entry(.block(block))).block(block)
    #expect(try await fixture.session.entry(.block(block))?.block(block) == moved)
  }

  @Test("says when it goes on where it was cut off")
  func again() async throws {
    _ = try await lock()
    let path = try await export()
    let target = session()
    _ = try await importing(path, into: target)
    let again = try await importing(path, into: target)
    #expect(again.output.hasPrefix("Successfully applied 0 IPAM resource(s)\n"))
    // The three tiers that every store has are among them.
    #expect(again.output.contains("6 resource(s) were there already, and as they should be\n"))
  }

  @Test("tells of a file that is not there, or is none")
  func files() async throws {
    let missing = try await importing("/nonexistent", into: session())
    #expect(missing.status == 1)
    #expect(missing.errors == "error while reading migration file: open /nonexistent: no such file or directory\n")
    let malformed = try await importing(try fixture.manifest("kind: IPPool\n"), into: session())
    #expect(
      malformed.errors.contains("is improperly formatted. Try recreating with 'ipamctl datastore migrate export'"))
  }

  @Test("names nodes that Kubernetes does not have")
  func kubernetes() async throws {
    try await fixture.put(
      .resource(.node, "node-1"),
      #"{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"node-1"},"spec":{}}"#)
    _ = try await lock()
    let path = try await export()
    let warnings = Mutex<[String]>([])
    let transcript = try await MigrateImportCommand.asyncParse(["-f", path]).execute(session(.kubernetes)) { event in
      if case .warning(let text) = event { warnings.withLock { $0.append(text) } }
    }
    #expect(transcript.status == 0, "\(transcript.errors)")
    #expect(warnings.withLock { $0 }.first?.hasPrefix("[WARNING] Attempted to import node node-1") == true)
  }

  @Test("help shows the whole way")
  func help() {
    let text = IPAMControl.helpMessage(for: MigrateCommand.self, columns: 120)
    for word in ["lock", "export", "import", "unlock"] { #expect(text.contains("ipamctl datastore migrate \(word)")) }
  }
}
