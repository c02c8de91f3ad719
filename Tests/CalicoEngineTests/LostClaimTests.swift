import CalicoModel
import Datastore
import IPAddressing
import TestSupport
import Testing

@testable import CalicoEngine

/// Specification section 3.2: an operation that has announced a claim and does not make the block takes the
/// announcement back before it ends. Only a store without transactions is told of claims before they succeed.
@Suite("Claims that are lost to another host, or given up")
struct LostClaimTests {
  private let block: CIDR = "10.0.0.0/26"
  private let address: IPAddress = "10.0.0.9"
  private let host = BlockOwner.host("host-a")
  private let rival = BlockOwner.host("host-b")

  private func cluster(_ pool: String = "10.0.0.0/24") -> Cluster {
    let calico = Cluster(.staged)
    calico.pool(pool)
    calico.node("host-a")
    calico.node("host-b")
    return calico
  }

  /// The rival makes the block, with an address of its own, just before the others do so for the first time.
  private func letTheRivalWin(_ calico: Cluster, taking ordinal: Int? = nil) -> Once {
    let (store, cidr, rival, lost) = (calico.store, block, rival, Once())
    var made = IPAMBlock(cidr: cidr, owner: rival, time: calico.tick())
    if let ordinal { _ = made.assign(ordinal: ordinal, attribute: AllocationAttribute(handleID: "rival", owner: [:])) }
    made.sequenceNumber += 1
    let bytes = made.encoded()
    calico.put(IPAMHandle([cidr: 1]).encoded(), .handle("rival"))
    store.injectFaults { write in
      guard case .block(cidr) = write.key, lost.take() else { return .proceed }
      store.put(BlockAffinity(.confirmed).encoded(), at: KeyPath.path(of: .affinity(rival, cidr)))
      store.put(bytes, at: KeyPath.path(of: .block(cidr)))
      return .proceed
    }
    return lost
  }

  private func requested(_ calico: Cluster, host: String = "host-a", handle: String = "handle") -> AssignAddress {
    AssignAddress(
      AssignAddress.Request(address, handleID: handle, host: host, use: .workload, time: calico.tick()))
  }

  @Test("An address that another host was faster to take leaves neither a claim nor a count")
  func requestedAddressIsTaken() async throws {
    let calico = cluster()
    let lost = letTheRivalWin(calico, taking: 9)
    let error = try await failure { try await calico.run(requested(calico)) }
    #expect(error?.code == .alreadyExists)
    #expect(lost.isSpent)
    #expect(try calico.affinities() == [.affinity(rival, block): .confirmed])
    #expect(try calico.handle("handle") == nil)
  }

  @Test("An address in a block that another host was faster to make is assigned, and the claim goes")
  func requestedAddressIsBorrowed() async throws {
    let calico = cluster()
    _ = letTheRivalWin(calico)
    #expect(try await calico.run(requested(calico)).block == block)
    #expect(try calico.affinities() == [.affinity(rival, block): .confirmed])
    #expect(try calico.handle("handle") == [block: 1])
  }

  @Test(
    "Of many hosts that ask for one address one gets it, and only that one has a claim",
    arguments: 0..<20 as Range<UInt64>)
  func oneOfMany(seed: UInt64) async throws {
    let calico = cluster()
    var generator = SeededGenerator(seed: seed)
    let processes = (0..<8).map { calico.process(requested(calico, host: "host-\($0)", handle: "handle-\($0)")) }
    try await calico.interleave(processes, &generator)
    #expect(processes.count { $0.result != nil } == 1)
    #expect(processes.count { $0.error?.code == .alreadyExists } == 7)
    let owner = try #require(try calico.block(block).owner)
    #expect(try calico.affinities() == [.affinity(owner, block): .confirmed])
  }

  @Test("A handle that got its address on another host meanwhile leaves no claim where it wanted one")
  func reusedAddress() async throws {
    let calico = cluster("10.0.0.0/16")
    let process = try calico.assigning(handle: "vm", host: "host-a", maxPerHandle: 1)
    while process.nextWrite.map({ $0.stage == .staged }) ?? true { try await process.takeTurn() }
    #expect(try calico.affinities(of: "host-a").values.map(\.self) == [.pending])
    let given = try await calico.assign(v4: 1, handle: "vm", host: "host-b", maxPerHandle: 1).v4
    try await process.finish()
    #expect(process.result?.v4 == given)
    #expect(try calico.affinities(of: "host-a").isEmpty)
  }

  @Test("A node without room for another claim leaves none")
  func ensuredElsewhere() async throws {
    let calico = cluster("10.0.0.0/26")
    _ = letTheRivalWin(calico)
    let ensure = try EnsureBlock(host: "host-a", .init(.v4, count: 1), time: calico.tick())
    let error = try await failure { try await calico.run(ensure) }
    #expect(error?.description == "No Free Blocks")
    #expect(try calico.affinities(of: "host-a").isEmpty)
  }

  @Test("A network of which another host was faster to make a block is claimed but for that block")
  func claimedNetwork() async throws {
    let calico = cluster("10.0.0.0/25")
    _ = letTheRivalWin(calico)
    let result = try await calico.run(ClaimAffinity("10.0.0.0/25", for: host, time: calico.tick()))
    #expect(result.failed == [block])
    #expect(try calico.affinities(of: "host-a") == ["10.0.0.64/26": .confirmed])
  }

  @Test("What fails before the block is made leaves no claim")
  func handleWithoutEnd() async throws {
    let calico = cluster()
    calico.store.injectFaults { write in
      if case .handle("handle") = write.key { .conflict } else { .proceed }
    }
    let error = try await failure { try await calico.run(requested(calico)) }
    #expect(error?.code == .contention)
    #expect(try calico.affinities().isEmpty)
    #expect(try calico.blocks().isEmpty)
  }

  @Test("When time is up after the announcement, it is still taken back, and the store's error is the result")
  func storeFails() async throws {
    let calico = cluster()
    let (announced, handle) = (Once(), Once())
    calico.store.injectFaults { write in
      if case .affinity = write.key { _ = announced.take() }
      if case .handle = write.key, handle.take() { return .conflict }
      return .proceed
    }
    let failed = Once()
    let store = FailingStore(calico.store) { read in
      if case .entry(.handle) = read { announced.isSpent && failed.take() } else { false }
    }
    let error = await #expect(throws: DatastoreError.self) { try await store.run(requested(calico)) }
    #expect(error?.code == .unavailable)
    #expect(failed.isSpent)
    #expect(try calico.affinities().isEmpty)
  }

  @Test("A claim that another process of the node has taken over is not taken back")
  func takenOver() async throws {
    let calico = cluster()
    let other = requested(calico, handle: "other")
    let process = calico.process(requested(calico))
    while process.nextWrite.map({ $0.stage == .staged }) ?? true { try await process.takeTurn() }
    #expect(try calico.affinities() == [.affinity(host, block): .pending])
    // The other gets the address before this one makes the block.
    let second = calico.process(other)
    while second.nextWrite.map({ $0.key != .block(block) }) ?? true { try await second.takeTurn() }
    try await second.takeTurn()
    try await process.finish()
    #expect(process.error?.code == .alreadyExists)
    #expect(try calico.affinities() == [.affinity(host, block): .pending])
    try await second.finish()
    #expect(second.result != nil)
    #expect(try calico.affinities() == [.affinity(host, block): .confirmed])
  }

  @Test("A claim that its first announcer took back is made again by who has made the block", arguments: [true, false])
  func takenBackMeanwhile(isRequested: Bool) async throws {
    let calico = cluster()
    let (store, cut) = (calico.store, Once())
    store.injectFaults { write in
      guard case .affinity = write.key, write.stage == .final, cut.take() else { return .proceed }
      store.put(nil, at: KeyPath.path(of: write.key))
      return .proceed
    }
    if isRequested {
      _ = try await calico.run(requested(calico))
    } else {
      #expect(try await calico.assign(v4: 1).v4.count == 1)
    }
    #expect(cut.isSpent)
    #expect(try calico.affinities().values.allSatisfy { $0 == .confirmed })
    #expect(try calico.affinities().count == 1)
  }

  @Test("A claim is left alone when the answer to the making of its block was lost")
  func lostAnswer() async throws {
    let calico = cluster()
    let lost = Once()
    calico.store.injectFaults { write in
      switch write.key {
      case .block where lost.take(): .cutOff
      case .handle where lost.isSpent: .conflict
      default: .proceed
      }
    }
    let error = try await failure { try await calico.run(requested(calico)) }
    #expect(error?.code == .contention)
    #expect(lost.isSpent)
    #expect(try calico.affinities() == [.affinity(host, block): .pending])
  }
}
