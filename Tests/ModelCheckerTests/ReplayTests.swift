import CalicoModel
import Datastore
import ModelChecker
import Testing

@Suite("Histories that are made again on another store")
struct ReplayTests {
  @Test("a store that keeps the rules decides every commit alike, and holds the same at the end")
  func agrees() async throws {
    let all = try (1..<61).map { try Recording(seed: $0) }
    for isAtomic in [true, false] {
      let recordings = all.filter { $0.isAtomic == isAtomic }
      var replay = try await Replay(on: InMemoryDatastore(commitsAtomically: isAtomic))
      for recording in recordings { try await replay.run(recording) }
      #expect(recordings.count > 15)
      #expect(replay.commits > 30 * recordings.count)
      #expect(replay.conflicts > recordings.count)
    }
  }

  /// Histories of commits as a whole, or stage by stage.
  private func recordings(_ seeds: Range<UInt64>, isAtomic: Bool) throws -> [Recording] {
    try seeds.map { try Recording(seed: $0) }.filter { $0.isAtomic == isAtomic }
  }

  @Test("single writes are alike in a store that commits as a whole")
  func singleWrites() async throws {
    var replay = try await Replay(on: InMemoryDatastore())
    for recording in try recordings(1..<21, isAtomic: false) { try await replay.run(recording) }
    #expect(replay.conflicts > 0)
  }

  @Test("commits as a whole are not made on a store that has none")
  func needsTransactions() async throws {
    var replay = try await Replay(on: InMemoryDatastore(commitsAtomically: false))
    let recording = try #require(try recordings(1..<20, isAtomic: true).first)
    let difference = await #expect(throws: ReplayDifference.self) { try await replay.run(recording) }
    #expect(difference?.description == "history \(recording.seed) commits as a whole, which the store does not")
    #expect(replay.commits == 0)
  }

  @Test("a store that holds something already is left alone")
  func isEmpty() async throws {
    let store = InMemoryDatastore()
    let change = Change(.configuration, base: .absent, final: .value(.configuration(IPAMConfiguration())))
    _ = try await store.commit(Plan([change]), deadline: .distantFuture)
    let difference = await #expect(throws: ReplayDifference.self) { _ = try await Replay(on: store) }
    #expect(difference?.description == "the store holds 1 entries, such as configuration: name an empty one")
  }

  @Test("a store that breaks the rules is found out", arguments: FaultyDatastore.Fault.allCases)
  func isFoundOut(_ fault: FaultyDatastore.Fault) async throws {
    var replay = try await Replay(on: FaultyDatastore(fault))
    let recordings = try recordings(1..<21, isAtomic: true)
    let difference = await #expect(throws: ReplayDifference.self) {
      for recording in recordings { try await replay.run(recording) }
    }
    let text = try #require(difference).description
    #expect(text.contains(fault == .spoilsResources ? "at the end" : "the outcome is"), "\(text)")
  }
}

/// A store that does something wrong.
struct FaultyDatastore: Datastore {
  enum Fault: CaseIterable {
    /// Writes over what has changed meanwhile.
    case doesNotCompare
    /// Makes what is there already.
    case createsAgain
    /// Names another entry than the first that was not as it had to be.
    case namesAnother
    /// Keeps another text of a resource than it was given.
    case spoilsResources
  }

  private let store = InMemoryDatastore()
  private let fault: Fault

  init(_ fault: Fault) {
    self.fault = fault
  }

  var commitsAtomically: Bool { true }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    var plan = plan
    switch fault {
    case .spoilsResources:
      for index in plan.changes.indices {
        guard case .value(.resource(let text)) = plan.changes[index].final else { continue }
        plan.changes[index].final = .value(.resource(text + [UInt8(ascii: " ")]))
      }
    case .doesNotCompare, .createsAgain:
      for index in plan.changes.indices {
        switch (fault, plan.changes[index].base) {
        case (.doesNotCompare, .revision), (.createsAgain, .absent): plan.changes[index].base = .any
        default: break
        }
      }
    case .namesAnother: break
    }
    let outcome = try await store.commit(plan, deadline: deadline)
    guard case .conflict(let key, let applied) = outcome, fault == .namesAnother,
      let other = plan.changes.last?.key, other != key
    else { return outcome }
    return .conflict(other, applied: applied)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }
}
