import Datastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A datastore in a file that must be there.
///
/// To programs that give addresses out a file that is missing is an empty store, which they are about to fill. To one that
/// routes it is no reason to remove every route: the file may be on a disk that is not mounted yet, or was moved away.
struct ExistingDatastore: Datastore {
  let base: any Datastore
  let path: String

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    let results = try await base.read(reads, deadline: deadline)
    try demandFile()
    return results
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try demandFile()
    return try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    let stream = base.watch(interest, from: cursor)
    return WatchStream {
      let iteration = WatchIteration(stream)
      return {
        let event = try await iteration.next()
        // Asked afterwards: what was told of a file that is gone now may be what is told of none.
        try demandFile()
        return event.map { [$0] }
      }
    }
  }

  private func demandFile() throws {
    guard access(path, F_OK) != 0, errno == ENOENT || errno == ENOTDIR else { return }
    throw DatastoreError(
      .unavailable, "there is no datastore at \(path)",
      advice: "name another with databaseFile (--database-file), or create it with 'ipamctl apply'")
  }
}
