import CalicoModel
import Datastore
import IPAddressing
import Synchronization
import Testing

@testable import PoolProcedures

/// Several runs of one procedure, on different hosts.
@Suite("Procedures of which several runs meet")
struct ProcedureTurnTests {
  @Test("a run that waits stops when another one goes on", arguments: ProcedureCrashTests.cases)
  func overtaken(_ one: ProcedureCrashTests.Case) async throws {
    let (world, request) = try await one.begin(true)
    let before = try world.pools()
    world.onPause { world in
      world.onPause(nil)
      try await world.resume(.back)
    }
    let error = await ending { try await world.begin(request) }
    #expect(error?.code == .overtaken)
    #expect(try world.pools() == before)
  }

  @Test("whatever two runs do at once, one pool serves at every moment, and the end is one of the two")
  func race() async throws {
    for start in stride(from: 1, through: 12, by: 2) {
      for write in 1...6 {
        let (world, request) = try await ProcedureCrashTests.cases[2].begin(false)
        let before = try world.pools()
        world.store.crash(at: start, .afterWrite)
        await #expect(throws: CrashingDatastore.Crash.self) { try await world.begin(request) }
        world.store.crash(at: nil)
        guard try await !world.runner.procedures().isEmpty else { continue }
        // The second run begins between the first one's look at the pools and its write.
        let second = ProcedureRunner(world.memory, world.surroundings) { _ in }
        let number = Mutex(0)
        world.store.interrupt(
          .init(before: { _ in
            let isIt = number.withLock { number in
              number += 1
              return number == write
            }
            guard isIt, let found = try await second.procedures().first else { return }
            try await second.resume(found, .back, patience: nil)
          }))
        let error = await ending { try await world.resume(.forward) }
        world.store.interrupt(.init())
        let serving = ["old", "old-temporary"].compactMap { world.ippool($0) }.filter(\.isEnabled)
        #expect(!serving.isEmpty, "write \(start), then \(write)")
        if try await !world.runner.procedures().isEmpty { try await world.resume(.back) }
        let pools = try world.pools()
        if pools != before {
          #expect(error == nil, "write \(start), then \(write): \(pools)")
          #expect(Array(pools.keys) == ["old"])
        }
        try world.expectPods(in: "old")
      }
    }
  }

  @Test("a second procedure of a pool is refused while the first one is under way")
  func busy() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.stopRestarting()
    _ = await ending { try await world.begin(.toNew, patience: 0) }
    for request in [ProcedureRequest.toNew, try .smallerBlocks()] {
      let error = await ending { try await world.begin(request) }
      #expect(error?.code == .refused)
      #expect(
        error?.description.contains("is in a procedure already; 'ipamctl pool migrate --status old' shows it") == true)
    }
  }

  @Test("of two procedures of one pool that begin at once one goes on, and the other takes back what it did")
  func outrun() async throws {
    for write in 1...3 {
      let world = try await ProcedureWorld.inhabited()
      world.stopRestarting()
      let other = ProcedureRunner(world.memory, world.surroundings) { _ in }
      let number = Mutex(0)
      world.store.interrupt(
        .init(before: { _ in
          let isIt = number.withLock { number in
            number += 1
            return number == write
          }
          guard isIt else { return }
          let request = ProcedureRequest.migration(from: "old", to: "third", cidr: CIDR("10.77.0.0/24"), blockSize: nil)
          let error = await ending { try await other.begin(try await other.propose(request), patience: 0) }
          #expect(error?.code == (write < 2 ? .waiting : .refused), "write \(write)")
        }))
      let error = await ending { try await world.begin(.toNew, patience: 0) }
      #expect(error?.code == (write < 2 ? .refused : .waiting), "write \(write)")
      world.store.interrupt(.init())
      #expect(try Set(world.pools().keys) == ["old", write < 2 ? "third" : "new"])
      world.startRestarting()
      try await world.resume(.back)
      #expect(Array(try world.pools().keys) == ["old"])
      try world.expectPods(in: "old")
    }
  }

  @Test("what is under way is found by either pool, or without a name when there is but one")
  func finding() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.pool("more", "10.70.0.0/24")
    world.stopRestarting()
    let runner = world.runner
    #expect(await ending { _ = try await runner.procedure(.migration, of: nil) }?.code == .notFound)
    _ = await ending { try await world.begin(.toNew, patience: 0) }
    for name in ["old", "new", nil] { #expect(try await runner.procedure(.migration, of: name).source == "old") }
    #expect(
      await ending { _ = try await runner.procedure(.resizing, of: "old") }?.description
        == "no 'pool resize-blocks' of IPPool old is under way")
    try await world.addPod("more-1", "node-a", pools: [try #require(CIDR("10.70.0.0/24"))])
    _ = await ending {
      try await world.begin(
        .migration(from: "more", to: "most", cidr: CIDR("10.71.0.0/24"), blockSize: nil), patience: 0)
    }
    #expect(
      await ending { _ = try await runner.procedure(.migration, of: nil) }?.description
        == "several are under way; name the pool: more, old")
  }
}
