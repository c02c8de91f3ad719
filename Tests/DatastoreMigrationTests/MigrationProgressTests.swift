import Datastore
import Synchronization
import Testing

@testable import DatastoreMigration

@Suite("How far a migration is")
struct MigrationProgressTests {
  /// What was said, in order.
  private final class Log: Sendable {
    private let list = Mutex<[MigrationProgress]>([])
    var entries: [MigrationProgress] { list.withLock { $0 } }
    func add(_ progress: MigrationProgress) { list.withLock { $0.append(progress) } }
  }

  @Test("an export tells while it reads, and again while it compares with what it has read")
  func export() async throws {
    let world = try MigrationWorld()
    let log = Log()
    let lock = MigrationLock(world.source, surroundings: MigrationWorld.surroundings)
    let document = try await MigrationExport(world.source, lock: lock, progress: { log.add($0) }).document()
    let reading = log.entries.filter { $0.work == .reading }
    let comparing = log.entries.filter { $0.work == .comparing }
    #expect(reading.map(\.done) == Array(1...reading.count))
    #expect(reading.allSatisfy { $0.total == nil })
    #expect(comparing.map(\.done) == Array(1...comparing.count))
    // The switches are read beside the entries that are listed.
    #expect(comparing.count == document.entries.count - 1)
    #expect(comparing.allSatisfy { $0.total == document.entries.count })
    #expect(log.entries == reading + comparing)
  }

  @Test("an import tells how much of the file is written, up to all of it, and then that it compares")
  func `import`() async throws {
    let world = try MigrationWorld()
    let document = try await world.export()
    let events = Events()
    try await MigrationWorld.run(document, into: InMemoryDatastore(), events: events)
    let writing = events.advances.filter { $0.work == .writing }
    #expect(writing.last == MigrationProgress(.writing, document.entries.count, of: document.entries.count))
    #expect(writing.map(\.done) == writing.map(\.done).sorted())
    #expect(events.advances.last?.work == .comparing)
  }
}
