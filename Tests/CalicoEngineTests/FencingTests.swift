import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoEngine

/// Specification section 7.10, items 59 to 66: what happens between two steps of an operation.
@Suite("Fences between operations")
struct FencingTests {
  private let block: CIDR = "10.0.0.0/26"
  private let host = BlockOwner.host("host-a")

  private func cluster(_ mode: Mode) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/26")
    calico.node("host-a")
    calico.node("host-b")
    return calico
  }

  private func put(_ state: BlockAffinity.State, of owner: BlockOwner, _ calico: Cluster) {
    calico.put(BlockAffinity(state).encoded(), .affinity(owner, block))
  }

  @Test("59: a claim whose affinity is taken back meanwhile is not confirmed", arguments: modes)
  func claimAgainstRelease(mode: Mode) async throws {
    let calico = cluster(mode)
    let claim = calico.process(ClaimAffinity(block, for: host, time: calico.tick()))
    while !claim.isAboutToCommit { try await claim.takeTurn() }
    if mode == .staged {
      while claim.nextWrite?.stage == .staged { try await claim.takeTurn() }
      #expect(try calico.affinities() == [.affinity(host, block): .pending])
    }
    put(.pendingDeletion, of: host, calico)
    while claim.conflicts == 0 { try await claim.takeTurn() }
    #expect(try calico.affinities() == [.affinity(host, block): .pendingDeletion])
    try await claim.finish()
    #expect(claim.result?.claimed == [block])
    #expect(try calico.affinities() == [.affinity(host, block): .confirmed])
    #expect(try calico.block(block).affinity == host.description)
  }

  @Test("60: a release whose block is made again meanwhile does not delete it", arguments: modes)
  func releaseAgainstClaim(mode: Mode) async throws {
    let calico = cluster(mode)
    #expect(try await calico.claim(block, for: "host-a").claimed == [block])
    let release = calico.process(ReleaseAffinities(.block(block, host), mustBeEmpty: false, time: calico.tick()))
    while !release.isAboutToCommit { try await release.takeTurn() }
    if mode == .staged { while release.nextWrite?.stage == .staged { try await release.takeTurn() } }
    put(.pending, of: host, calico)
    calico.put(nil, .block(block))
    calico.put(IPAMBlock(cidr: block, owner: host, time: calico.tick()).encoded(), .block(block))
    let number = try calico.block(block).sequenceNumber
    while release.conflicts == 0 { try await release.takeTurn() }
    #expect(try calico.block(block).sequenceNumber == number)
    #expect(try calico.affinities() == [.affinity(host, block): .pending])
    try await release.finish()
    #expect(release.error == nil)
  }

  @Test("61: a claim that loses borrows, and leaves no claim behind", arguments: modes)
  func lostClaim(mode: Mode) async throws {
    let calico = cluster(mode)
    let (other, cidr, time) = (BlockOwner.host("host-b"), block, calico.tick())
    let (lost, failed) = (Once(), Once())
    let store = calico.store
    store.injectFaults { write in
      switch write.key {
      case .block where lost.take():
        store.put(BlockAffinity(.confirmed).encoded(), at: KeyPath.path(of: .affinity(other, cidr)))
        store.put(IPAMBlock(cidr: cidr, owner: other, time: time).encoded(), at: KeyPath.path(of: .block(cidr)))
        return .proceed
      case .affinity(.host("host-a"), _) where write.isDeletion && failed.take(): return .conflict
      default: return .proceed
      }
    }
    #expect(try await calico.assign(v4: 1).v4.count == 1)
    #expect(lost.isSpent)
    // Where nothing is written before the block there is no claim to delete.
    #expect(failed.isSpent == (mode == .staged))
    #expect(try calico.affinities(of: "host-b") == [block: .confirmed])
    #expect(try await calico.assign(v4: 1).v4.count == 1)
    #expect(try calico.affinities(of: "host-a").isEmpty)
    #expect(try calico.block(block).affinity == other.description)
  }

  @Test("61: a stale claim of an earlier process goes with the next request", arguments: modes)
  func staleClaim(mode: Mode) async throws {
    let calico = cluster(mode)
    #expect(try await calico.claim(block, for: "host-b").claimed == [block])
    put(.pending, of: host, calico)
    #expect(try await calico.assign(v4: 1).v4.count == 1)
    #expect(try calico.affinities(of: "host-a").isEmpty)
  }

  /// A strict cluster with one block, which host-a has left empty.
  private func strictAndEmpty(_ mode: Mode) async throws -> Cluster {
    let calico = cluster(mode)
    calico.configuration.strictAffinity = true
    #expect(try await calico.assign(v4: 1, handle: "handle").v4.count == 1)
    let refused = try await calico.assign(v4: 1, host: "host-b")
    #expect(refused.error == nil)
    #expect(refused.v4.isEmpty)
    try await calico.release(handle: "handle")
    return calico
  }

  @Test("62: an empty block is left to its host for a minute, and then reclaimed", arguments: modes)
  func reclaim(mode: Mode) async throws {
    let calico = try await strictAndEmpty(mode)
    #expect(try await calico.assign(v4: 1, host: "host-b").v4.isEmpty)
    calico.advance(seconds: 61)
    #expect(try await calico.assign(v4: 1, host: "host-b").v4.count == 1)
    #expect(try calico.affinities() == [.affinity(.host("host-b"), block): .confirmed])
  }

  @Test("63: a block that cannot be deleted is not reclaimed, and that is no error", arguments: modes)
  func failingReclaim(mode: Mode) async throws {
    let calico = try await strictAndEmpty(mode)
    calico.advance(seconds: 61)
    calico.store.injectFaults { write in
      if case .block = write.key, write.isDeletion { return .conflict }
      return .proceed
    }
    let refused = try await calico.assign(v4: 1, host: "host-b")
    #expect(refused.error == nil)
    #expect(refused.v4.isEmpty)
    #expect(refused.messages == ["No more free affine blocks and strict affinity enabled"])
    #expect(try calico.block(block).affinity == host.description)
  }

  @Test("63: when time is up, the store's error is the result", arguments: modes)
  func deadline(mode: Mode) async throws {
    let calico = try await strictAndEmpty(mode)
    let operation = try AutoAssign(
      AutoAssignRequest([.init(.v4, count: 1)], handleID: nil, host: "host-b", use: .workload, time: calico.tick()))
    let store = FailingStore(calico.store) { if case .entry(.block) = $0 { true } else { false } }
    let error = await #expect(throws: DatastoreError.self) { try await store.run(operation) }
    #expect(error?.code == .unavailable)
    #expect(error?.description == "context deadline exceeded")
  }

  @Test("64: a block from which an address is taken meanwhile is given up and stays", arguments: modes)
  func assignAgainstRelease(mode: Mode) async throws {
    let calico = cluster(mode)
    #expect(try await calico.claim(block, for: "host-a").claimed == [block])
    let release = calico.process(
      ReleaseAffinities(.network(block, host), mustBeEmpty: false, time: calico.tick()))
    while !release.isAboutToCommit { try await release.takeTurn() }
    if mode == .staged { while release.nextWrite?.stage == .staged { try await release.takeTurn() } }
    try await calico.assign(address: "10.0.0.1", handle: "handle", host: "host-b")
    try await release.finish()
    #expect(release.error == nil)
    #expect(release.conflicts == 1)
    #expect(try calico.block(block).affinity == nil)
    #expect(try await calico.addresses(of: "handle") == ["10.0.0.1"])
    #expect(try calico.affinities().isEmpty)
  }

  @Test("65: a host and what stands for something else may have one name", arguments: modes)
  func kinds(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/25")
    let claims: [(BlockOwner.Kind, CIDR)] = [(.host, "10.0.0.0/26"), (.virtual, "10.0.0.64/26")]
    for (kind, cidr) in claims + claims {
      #expect(try await calico.claim(cidr, for: "same", kind).claimed == [cidr])
      #expect(try calico.affinities(of: "same", kind) == [cidr: .confirmed])
      #expect(try calico.block(cidr).affinity == "\(kind.rawValue):same")
    }
    for (kind, cidr) in claims {
      let owner = BlockOwner(kind, "same")
      #expect(try await calico.giveUp(.block(cidr, owner), mustBeEmpty: true) == [cidr])
      // What is gone already is given up; the caller sees that nothing was done.
      #expect(try await calico.giveUp(.block(cidr, owner), mustBeEmpty: true) == [])
      #expect(try calico.affinities(of: "same", kind).isEmpty)
    }
    #expect(try calico.blocks().isEmpty)
  }

  @Test("66: a host that keeps three of four addresses gives out the fourth", arguments: modes)
  func reservation(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/30", blockSize: 30)
    let block = IPAMBlock(cidr: "10.0.0.0/30", owner: host, time: calico.tick(), reservation: .three)
    #expect(block.freeCount() == 1)
    #expect(block.allocations == [0, 0, -1, 0])
    #expect(block.attributes?.count == 1)
    #expect(block.attributes?.first?.handleID == HostReservation.three.handleID)
    #expect(block.attributes?.first?.owner == ["note": HostReservation.three.note])
    let assigned = try await calico.assign(v4: 1, use: .tunnel, reservation: .three)
    #expect(assigned.family(.v4)?.addresses.map(\.address) == ["10.0.0.2/30"])
  }
}
