import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import PoolProcedures

/// Every step, cut off before and after each write, continued and undone.
@Suite("Procedures that are cut off")
struct ProcedureCrashTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    /// Makes the world and says what is wanted.
    var begin: @Sendable (Bool) async throws -> (ProcedureWorld, ProcedureRequest)
    /// The pool in which everybody is at the end.
    var end: String

    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "migration to a new pool",
      begin: { (try await ProcedureWorld.inhabited(commitsAtomically: $0), .toNew) }, end: "new"),
    Case(
      name: "migration to a pool that exists",
      begin: { commitsAtomically in
        let world = try await ProcedureWorld.inhabited(commitsAtomically: commitsAtomically)
        world.pool(
          "new", "10.66.0.0/24", #""blockSize":28,"nodeSelector":"has(rack)""#, metadata: #","labels":{"a":"b"}"#)
        return (world, .toNew)
      }, end: "new"),
    Case(
      name: "blocks of another size",
      begin: { (try await ProcedureWorld.inhabited(commitsAtomically: $0), try .smallerBlocks()) }, end: "old"),
  ]

  /// How many plans an undisturbed run commits.
  private static func writes(_ one: Case, _ commitsAtomically: Bool) async throws -> Int {
    let (world, request) = try await one.begin(commitsAtomically)
    world.store.crash(at: nil)
    try await world.begin(request)
    return world.store.writes
  }

  /// Runs until the process dies at a write.
  private static func cutOff(
    _ one: Case, _ commitsAtomically: Bool, at write: Int, _ moment: CrashingDatastore.Moment
  ) async throws -> (world: ProcedureWorld, before: [String: String], isUnderWay: Bool) {
    let (world, request) = try await one.begin(commitsAtomically)
    let before = try world.pools()
    world.store.crash(at: write, moment)
    await #expect(throws: CrashingDatastore.Crash.self) { try await world.begin(request) }
    world.store.crash(at: nil)
    return (world, before, try await !world.runner.procedures().isEmpty)
  }

  @Test("go on from wherever they were", arguments: cases, [true, false])
  func continued(_ one: Case, _ commitsAtomically: Bool) async throws {
    let writes = try await Self.writes(one, commitsAtomically)
    #expect(writes >= 6)
    for write in 1...writes {
      for moment in CrashingDatastore.Moment.allCases {
        let (world, before, isUnderWay) = try await Self.cutOff(one, commitsAtomically, at: write, moment)
        if isUnderWay {
          try await world.resume(nil)
        } else if try world.pools() == before {
          // It had not begun.
          #expect(write == 1)
          continue
        }
        #expect(Array(try world.pools().keys) == [one.end], "write \(write), \(moment)")
        #expect(try world.pools()[one.end]?.contains("pool-procedure") == false)
        try world.expectPods(in: one.end)
      }
    }
  }

  @Test("go back from wherever they were", arguments: cases, [true, false])
  func undone(_ one: Case, _ commitsAtomically: Bool) async throws {
    let writes = try await Self.writes(one, commitsAtomically)
    var undone = 0
    for write in 1...writes {
      for moment in CrashingDatastore.Moment.allCases {
        let (world, before, isUnderWay) = try await Self.cutOff(one, commitsAtomically, at: write, moment)
        guard isUnderWay else { continue }
        try await world.resume(.back)
        #expect(try world.pools() == before, "write \(write), \(moment)")
        undone += 1
        if before.count == 1 { try world.expectPods(in: "old") }
      }
    }
    #expect(undone > writes)
  }

  @Test("go back from wherever they were, when the way back is cut off as well", arguments: cases)
  func undoneWithCrashes(_ one: Case) async throws {
    let writes = try await Self.writes(one, true)
    for write in stride(from: 1, through: writes, by: 3) {
      var second = 1
      while true {
        let (world, before, isUnderWay) = try await Self.cutOff(one, true, at: write, .afterWrite)
        guard isUnderWay else { break }
        world.store.crash(at: second, .afterWrite)
        do {
          try await world.resume(.back)
        } catch is CrashingDatastore.Crash {
          world.store.crash(at: nil)
          if try await !world.runner.procedures().isEmpty { try await world.resume(nil) }
          #expect(try world.pools() == before, "write \(write), then \(second)")
          second += 1
          continue
        }
        #expect(try world.pools() == before)
        break
      }
    }
  }

  @Test("a run that was cut off before anybody moved leaves every block as it was when it is undone", arguments: cases)
  func untouched(_ one: Case) async throws {
    let (world, request) = try await one.begin(true)
    world.stopRestarting()
    let (pools, allocations) = (try world.pools(), world.allocations())
    #expect(await ending { try await world.begin(request, patience: 1000) }?.code == .waiting)
    try await world.resume(.back)
    #expect(try world.pools() == pools)
    #expect(world.allocations() == allocations)
  }

  @Test("turning back and forward again ends where it should")
  func thereAndBack() async throws {
    let (world, request) = try await Self.cases[2].begin(true)
    world.stopRestarting()
    #expect(await ending { try await world.begin(request, patience: 0) }?.code == .waiting)
    world.store.crash(at: 3, .afterWrite)
    await #expect(throws: CrashingDatastore.Crash.self) { try await world.resume(.back) }
    world.store.crash(at: nil)
    world.startRestarting()
    try await world.resume(.forward)
    #expect(world.ippool("old")?.blockSize == 28)
    try world.expectPods(in: "old")
  }
}
