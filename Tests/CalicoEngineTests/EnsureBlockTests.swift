import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// Specification section 7.8.
@Suite("Blocks before addresses")
struct EnsureBlockTests {
  private func cluster(_ mode: Mode) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    calico.pool("20.0.0.0/24")
    calico.pool("30.0.0.0/24", isDisabled: true)
    calico.pool("90.0.0.0/24", blockSize: 31)
    calico.pool("fe80:ba:ad:beef::/120")
    return calico
  }

  @Test("44: a block comes from pools that can be used", arguments: modes)
  func unusablePools(mode: Mode) async throws {
    let calico = cluster(mode)
    for pool in ["30.0.0.0/24", "90.0.0.0/24", "40.0.0.0/24"] as [CIDR] {
      let error = try await failure { try await calico.ensureBlock(pools: [pool], reservation: .windows) }
      #expect(error?.description == "the given pool (\(pool)) does not exist, or is not enabled")
    }
    let wrong = try await failure {
      try await calico.ensureBlock(pools: ["fe80:ba:ad:beef::/120"], reservation: .windows)
    }
    #expect(wrong?.description == "provided IPv4 IPPools list contains one or more IPv6 IPPools")
    #expect(try calico.blocks().isEmpty)
  }

  @Test("44: the same block is found again", arguments: modes)
  func again(mode: Mode) async throws {
    let calico = cluster(mode)
    let block = try await calico.ensureBlock(reservation: .windows)
    #expect(CIDR("10.0.0.0/24").contains(block))
    #expect(try await calico.ensureBlock(reservation: .windows) == block)
    #expect(
      try await calico.ensureBlock(pools: ["10.0.0.0/24", "20.0.0.0/24"], reservation: .windows) == block)
    #expect(try calico.blocks().count == 1)
    let v6 = try await calico.ensureBlock(.v6, reservation: .windows)
    #expect(CIDR("fe80:ba:ad:beef::/120").contains(v6))
    #expect(try calico.affinities(of: "host-a").values.allSatisfy { $0 == .confirmed })
  }

  @Test("44: a full block is a block, too", arguments: modes)
  func full(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    let block = try await calico.ensureBlock(reservation: .three)
    #expect(try await calico.assign(v4: 1).v4.count == 1)
    #expect(try calico.block(block).unallocated.isEmpty)
    #expect(try await calico.ensureBlock(reservation: .three) == block)
  }

  @Test("45: own blocks are used before new ones are claimed, reserved ones not at all", arguments: modes)
  func ownBlocksFirst(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    let first = try await assign(calico)
    let second = try await assign(calico)
    #expect(first.block != second.block)
    _ = try await calico.release([first.address.address, second.address.address])
    let blocks = [first.block, second.block].sorted { $0.description < $1.description }
    calico.reserve([blocks[0].description])
    #expect(try await assign(calico).block == blocks[1])
    calico.reserve([])
    #expect(try await assign(calico).block == blocks[0])
    #expect(try calico.blocks().count == 2)
    let limited = try await calico.assign(v4: 1, blockLimit: 2, reservation: .three)
    #expect(limited.error?.code == .blockLimit)
    let third = try await assign(calico)
    #expect(!blocks.contains(third.block))
    #expect(try calico.blocks().count == 3)
  }

  /// One address of a /30 of which the host keeps three.
  private func assign(_ calico: Cluster) async throws -> AcquiredAddress {
    try #require(try await calico.assign(v4: 1, reservation: .three).family(.v4)?.addresses.first)
  }

  @Test("45: requests of one host come to the same block", arguments: modes)
  func sameBlock(mode: Mode) async throws {
    var blocks: Set<CIDR> = []
    for _ in 0..<2 {
      let calico = Cluster(mode)
      calico.pool("10.0.0.0/16", blockSize: 30)
      blocks.insert(try await assign(calico).block)
    }
    #expect(blocks.count == 1)
  }
}
