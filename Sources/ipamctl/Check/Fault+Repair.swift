import CalicoEngine
import IntegrityCheck

extension Fault {
  /// Sets it right, if it is still what was seen.
  ///
  /// - Parameter session: the datastore.
  /// - Returns: what became of it.
  /// - Throws: `DatastoreError` or `EngineError` when it cannot be told, or not be done.
  func repair(_ session: Session) async throws -> RepairOutcome {
    switch (subject, revision) {
    case (.block(let cidr, _), let revision?):
      return try await session.run(MendBlock(cidr, at: revision, time: session.now()))
    case (.handle(let name, let handle), let revision):
      return try await session.run(RepairHandle(name, at: revision, blocks: handle.blocks))
    case (.staleAffinity(let owner, let cidr), let revision?):
      return try await session.run(DeleteOrphanAffinity(owner, cidr, at: revision))
    case (.openAffinity(let owner, let cidr), let revision):
      return try await session.run(ConfirmAffinity(owner, cidr, at: revision))
    case (.emptyBlock(let cidr), _):
      return try await session.run(DeleteEmptyBlock(cidr, time: session.now()))
    case (.remains(let key), _):
      // Whoever reads an entry that is half deleted finishes its deletion.
      return try await session.entry(key) == nil ? .repaired : .changed
    case (.block, nil), (.staleAffinity, nil), (.unreadable, _): return .changed
    }
  }
}
