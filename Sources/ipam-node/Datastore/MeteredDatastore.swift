import Datastore

/// A datastore whose every byte that is read is counted: keys are not, because how long they are is the store's affair.
struct MeteredDatastore: Datastore {
  let base: any Datastore
  /// Takes how many bytes of values were read.
  let count: @Sendable (Int) -> Void

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    let results = try await base.read(reads, deadline: deadline)
    report(results.reduce(0) { $0 + Self.size($1) })
    return results
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    let stream = base.watch(interest, from: cursor)
    return WatchStream {
      let iteration = WatchIteration(stream)
      return {
        guard let event = try await iteration.next() else { return nil }
        report(Self.size(event))
        return [event]
      }
    }
  }

  private func report(_ bytes: Int) {
    if bytes > 0 { count(bytes) }
  }

  private static func size(_ result: ReadResult) -> Int {
    switch result {
    case .entry(let stored): stored?.bytes.count ?? 0
    case .list(let list): size(list.items)
    }
  }

  private static func size(_ event: WatchEvent) -> Int {
    switch event {
    case .snapshot(_, let items, _): size(items)
    case .change(_, let stored): stored?.bytes.count ?? 0
    case .bookmark: 0
    }
  }

  private static func size(_ items: [ListResult.Item]) -> Int {
    items.reduce(0) { $0 + ($1.stored?.bytes.count ?? 0) }
  }
}
