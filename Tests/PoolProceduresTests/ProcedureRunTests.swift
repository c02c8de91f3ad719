import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@testable import PoolProcedures

@Suite("Running procedures")
struct ProcedureRunTests {
  @Test("a migration moves everybody, and leaves the new pool alone", arguments: [true, false])
  func migration(_ commitsAtomically: Bool) async throws {
    let world = try await ProcedureWorld.inhabited(commitsAtomically: commitsAtomically)
    try await world.begin(.toNew)
    #expect(
      world.takeSteps() == [
        "create standIn", "enable standIn", "disable source", "drain source", "delete source",
      ])
    let pools = try world.pools()
    #expect(Array(pools.keys) == ["new"])
    #expect(pools["new"]?.contains("annotations") == false)
    for text in [#""cidr":"10.66.0.0/24""#, #""natOutgoing":true"#, #""nodeSelector":"all()""#] {
      #expect(pools["new"]?.contains(text) == true)
    }
    #expect(world.ippool("new")?.blockSize == 26)
    try world.expectPods(in: "new")
  }

  @Test("blocks get another size, and the pool stays what it was otherwise", arguments: [true, false])
  func resizing(_ commitsAtomically: Bool) async throws {
    let world = try await ProcedureWorld.inhabited(commitsAtomically: commitsAtomically)
    let before = try world.pools()
    try await world.begin(try .smallerBlocks())
    #expect(
      world.takeSteps() == [
        "create standIn", "enable standIn", "disable source", "drain source", "delete source", "create source",
        "enable source", "disable standIn", "drain standIn", "delete standIn",
      ])
    let after = try world.pools()
    #expect(Array(after.keys) == ["old"])
    #expect(world.ippool("old")?.blockSize == 28)
    try world.expectPods(in: "old")
    // Nothing but the size, and what makes it a new pool.
    let old = try #require(before["old"])
    let expected = old.replacing(#""blockSize":26"#, with: #""blockSize":28"#)
    #expect(Self.withoutIdentity(try #require(after["old"])) == Self.withoutIdentity(expected))
  }

  private static func withoutIdentity(_ text: String) -> String {
    text.replacing(#/"(uid|creationTimestamp)":"[^"]*",?/#, with: "")
  }

  @Test("a pool that exists is taken as it is, and keeps everything but the record")
  func existing() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.pool("new", "10.66.0.0/24", #""blockSize":28,"nodeSelector":"all()""#)
    let before = try world.pools()["new"]
    try await world.begin(.migration(from: "10.65.0.0/24", to: "10.66.0.0/24", cidr: nil, blockSize: nil))
    #expect(try world.pools() == ["new": try #require(before)])
    try world.expectPods(in: "new")
  }

  @Test("what moves is told of: who waits, who has left, how many are left")
  func progress() async throws {
    let world = try await ProcedureWorld.inhabited()
    try await world.begin(.toNew)
    let waits = world.events.compactMap { event in
      if case .waits(.source, let holdings) = event { holdings.holders.map(\.kind) } else { nil }
    }
    #expect(waits == [[.pod(namespace: "default", name: "web-1"), .pod(namespace: "default", name: "web-2")]])
    let left = world.events.flatMap { event in
      if case .left(let holders, _) = event { holders.compactMap(\.node) } else { [String]() }
    }
    #expect(left == ["node-a", "node-b"])
  }

  @Test("when time is up everything stays as it is, and can be continued")
  func patience() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.stopRestarting()
    let error = await ending { try await world.begin(.toNew, patience: 3000) }
    #expect(error?.code == .waiting)
    #expect(error?.description == "2 addresses of IPPool old still in use")
    #expect(world.ippool("old")?.isDisabled == true)
    world.startRestarting()
    try await world.resume(nil)
    try world.expectPods(in: "new")
  }

  @Test("an address that cools down keeps its pool until it is free")
  func cooling() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.put(.configuration, #"{"strict_affinity":false,"auto_allocate_blocks":true,"ipCooldownSeconds":20}"#)
    let error = await ending { try await world.begin(.toNew, patience: 5000) }
    #expect(error?.description == "0 addresses of IPPool old still in use, 2 cooling down")
    try await world.resume(nil)
    #expect(world.ippool("old") == nil)
    try world.expectPods(in: "new")
  }

  @Test("an assignment that began before the source was closed, and ends after it is gone, brings it back")
  func lateAssignment() async throws {
    let world = try await ProcedureWorld.inhabited()
    let old = try #require(world.memory.dump()[KeyPath.path(of: .resource(.ipPool, "old"))])
    // The pool as it was when a slow process read it: for its assignment, it comes back for a moment.
    let path = KeyPath.path(of: .resource(.ipPool, "old"))
    world.store.interrupt(
      .init(after: { plan in
        guard plan.changes.first?.key == .resource(.ipPool, "old"), plan.changes.first?.final == .delete,
          !world.pods.keys.contains("late-1")
        else { return }
        world.memory.put(old, at: path)
        try await world.addPod("late-1", "node-a", pools: [try #require(CIDR("10.65.0.0/24"))])
        world.memory.put(nil, at: path)
      }))
    try await world.begin(try .smallerBlocks())
    #expect(world.takeSteps().contains("putBack source"))
    try world.expectPods(in: "old")
    #expect(world.ippool("old")?.blockSize == 28)
  }

  @Test("blocks of the other size with an address in use keep a pool made anew closed")
  func foreignBlock() async throws {
    let world = try await ProcedureWorld.inhabited()
    let late = try #require(world.allocations().first { $0.key.contains("/assignment/ipv4/block/10.65.0") })
    let hook: @Sendable (PendingWrite) -> WriteFault = { write in
      // The pool is created with blocks of /28 when a block of /26 appears.
      if write.key == .resource(.ipPool, "old"), world.ippool("old") == nil {
        world.memory.put(late.value, at: late.key)
      }
      return .proceed
    }
    world.memory.injectFaults(hook)
    let error = await ending { try await world.begin(try .smallerBlocks()) }
    #expect(error?.code == .stuck)
    #expect(error?.description.contains("has addresses in use, and is none of its blocks of /28") == true)
    #expect(world.ippool("old")?.isDisabled == true)
    #expect(world.ippool("old-temporary")?.isEnabled == true)
  }

  @Test("a pool that overlaps and is created at the same moment is met before anything is given out")
  func concurrentCreation() async throws {
    let world = try await ProcedureWorld.inhabited()
    let before = try world.pools()
    world.memory.injectFaults { write in
      if write.key == .resource(.ipPool, "new"), world.ippool("other") == nil { world.pool("other", "10.66.0.0/16") }
      return .proceed
    }
    let error = await ending { try await world.begin(.toNew) }
    #expect(error?.code == .refused)
    #expect(error?.description.contains("IPPool other (10.66.0.0/16), which was created meanwhile, overlaps") == true)
    var after = try world.pools()
    after["other"] = nil
    #expect(after == before)
  }

  @Test("a store in which others write, and lose answers, is looked at again")
  func disturbances() async throws {
    for fault in [WriteFault.conflict, .answerLost, .cutOff] {
      let world = try await ProcedureWorld.inhabited()
      let seen = Disturbance()
      world.memory.injectFaults { write in
        guard case .resource(.ipPool, _) = write.key else { return .proceed }
        return seen.isFirst(write) ? fault : .proceed
      }
      try await world.begin(try .smallerBlocks())
      #expect(world.ippool("old")?.blockSize == 28, "\(fault)")
      #expect(Array(try world.pools().keys) == ["old"])
      try world.expectPods(in: "old")
    }
  }

  @Test("somebody who enables the source again and again is found out")
  func contested() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.stopRestarting()
    world.onPause { world in
      let path = KeyPath.path(of: .resource(.ipPool, "old"))
      guard let bytes = world.memory.dump()[path] else { return }
      var pool = try Resource(stored: bytes, kind: .ipPool, name: "old")
      pool.specification["disabled"] = nil
      world.memory.put(pool.encoded(), at: path)
    }
    let error = await ending { try await world.begin(.toNew) }
    #expect(error?.code == .stuck)
    #expect(error?.description.contains("somebody keeps enabling IPPool old") == true)
  }

  @Test("a pool whose condition says that it cannot be used is waited for, and the source stays open meanwhile")
  func condition() async throws {
    let world = try await ProcedureWorld.inhabited()
    let path = KeyPath.path(of: .resource(.ipPool, "new"))
    world.onPause { world in
      guard let bytes = world.memory.dump()[path] else { return }
      var pool = try Resource(stored: bytes, kind: .ipPool, name: "new")
      #expect(world.ippool("old")?.isEnabled == true)
      pool.status = nil
      world.memory.put(pool.encoded(), at: path)
      world.onPause(nil)
    }
    world.memory.injectFaults { write in
      // What a controller said of the pool while it was disabled.
      if write.key == .resource(.ipPool, "old"), !write.isDeletion, let bytes = world.memory.dump()[path],
        var pool = try? Resource(stored: bytes, kind: .ipPool, name: "new"), pool.status == nil,
        world.ippool("old")?.isDisabled == false, !world.events.contains(.done(ProcedureStep(.disable, .source)))
      {
        world.memory.injectFaults(nil)
        pool.status = ["conditions": [["type": "Allocatable", "status": "False"]]]
        world.memory.put(pool.encoded(), at: path)
      }
      return .proceed
    }
    try await world.begin(.toNew)
    try world.expectPods(in: "new")
  }
}

/// Which writes were seen.
final class Disturbance: Sendable {
  private let seen = Mutex<Set<PendingWrite>>([])

  /// Whether no such write was seen before.
  func isFirst(_ write: PendingWrite) -> Bool { seen.withLock { $0.insert(write).inserted } }
}
