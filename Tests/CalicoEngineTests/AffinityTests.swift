import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// Specification section 7.3.
@Suite("Affinity")
struct AffinityTests {
  @Test("13: a block in use is kept, and an empty one is given up, by network and by block", arguments: modes)
  func mustBeEmpty(mode: Mode) async throws {
    let host = BlockOwner.host("host-affinity-fvs")
    for isByBlock in [false, true] {
      let calico = Cluster(mode)
      calico.pool("10.0.0.0/24", blockSize: 30)
      _ = try await calico.assign(v4: 1, handle: "handle", host: host.name)
      let block = try #require(try calico.blocks().values.first)
      #expect(block.affinity == "host:host-affinity-fvs")
      let target: ReleaseAffinities.Target = isByBlock ? .block(block.cidr, host) : .network(block.cidr, host)
      let error = try await failure { try await calico.giveUp(target, mustBeEmpty: true) }
      #expect(error?.code == .blockNotEmpty)
      #expect(error?.description == "block '\(block.cidr)' is not empty")
      #expect(try calico.affinities(of: host.name) == [block.cidr: .confirmed])
      try await calico.release(handle: "handle")
      try await calico.giveUp(target, mustBeEmpty: true)
      #expect(try calico.blocks().isEmpty)
      #expect(try calico.affinities().isEmpty)
    }
  }

  @Test("14: giving up a pool removes confirmed affinities of blocks that belong to nobody", arguments: modes)
  func ownerlessBlock(mode: Mode) async throws {
    let calico = Cluster(mode)
    var block = IPAMBlock(cidr: "10.0.0.0/24", owner: .host("host-a"), time: calico.tick())
    block.affinity = nil
    calico.put(block.encoded(), .block("10.0.0.0/24"))
    calico.put(BlockAffinity(.confirmed).encoded(), .affinity(.host("host-a"), "10.0.0.0/24"))
    try await calico.giveUp(.pool("10.0.0.0/16"))
    #expect(try calico.blocks().isEmpty)
    #expect(try calico.affinities().isEmpty)
  }

  @Test("15: of a host's blocks the empty ones go and the one in use stays", arguments: modes)
  func partlyEmpty(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    #expect(try await calico.assign(v4: 12, handle: "handle").v4.count == 12)
    #expect(try calico.blocks().count == 3)
    #expect(try await calico.release(handle: "handle") == 12)
    #expect(try calico.blocks().values.filter(\.isEmpty).count == 3)
    _ = try await calico.assign(v4: 1)
    let error = try await failure { try await calico.giveUp(.owner(.host("host-a")), mustBeEmpty: true) }
    #expect(error?.code == .blockNotEmpty)
    #expect(try calico.blocks().count == 1)
    #expect(try calico.affinities().count == 1)
  }

  @Test("16: a host gives up blocks in use, of a pool that is gone; they go with their addresses", arguments: modes)
  func deletedPool(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    _ = try await calico.assign(v4: 12, handle: "handle")
    calico.deletePool("10.0.0.0/24")
    try await calico.giveUp(.owner(.host("host-a")))
    #expect(try calico.affinities().isEmpty)
    #expect(try calico.blocks().count == 3)
    #expect(try calico.blocks().values.allSatisfy { $0.affinity == nil && $0.affinityClaimTime == nil })
    #expect(try await calico.release(handle: "handle") == 12)
    #expect(try calico.blocks().isEmpty)
  }

  @Test("17: a host that nobody knows can be removed", arguments: modes)
  func unknownHost(mode: Mode) async throws {
    let calico = Cluster(mode)
    try await calico.giveUp(.removedHost(.host("nobody")))
    calico.put(Array("{}".utf8), .host("somebody"))
    try await calico.giveUp(.removedHost(.host("somebody")))
    #expect(calico.store.dump().isEmpty)
  }

  @Test("18: a network is claimed block by block", arguments: modes)
  func claim(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.1.0/24")
    calico.pool("10.0.0.0/24")
    #expect(try await calico.claim("192.168.1.0/26", for: "host-a").claimed == ["192.168.1.0/26"])
    let small = try await failure { try await calico.claim("192.168.1.0/27", for: "host-a") }
    #expect(small?.description == "The requested CIDR (192.168.1.0/27) is smaller than the minimum.")
    let outside = try await failure { try await calico.claim("172.16.0.0/24", for: "host-a") }
    #expect(outside?.description == "The requested CIDR (172.16.0.0/24) is not within any configured pools.")
    try await calico.assign(address: "10.0.0.1", host: "host-a")
    let second = try await calico.claim("10.0.0.0/24", for: "host-b")
    #expect(second.claimed == ["10.0.0.64/26", "10.0.0.128/26", "10.0.0.192/26"])
    #expect(second.failed == ["10.0.0.0/26"])
    #expect(try calico.affinities(of: "host-b").count == 3)
  }

  @Test("18: a network that somebody has claimed cannot be claimed by another", arguments: modes)
  func claimTwice(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    for _ in 0..<2 {
      let mine = try await calico.claim("10.0.0.0/24", for: "host-a")
      #expect((mine.claimed.count, mine.failed.count) == (4, 0))
    }
    let other = try await calico.claim("10.0.0.0/24", for: "host-b")
    #expect((other.claimed.count, other.failed.count) == (0, 4))
    #expect(try calico.affinities(of: "host-b").isEmpty)
    #expect(try calico.affinities(of: "host-a").values.allSatisfy { $0 == .confirmed })
  }

  @Test("19: hosts with long names that begin alike are told apart", arguments: modes)
  func longNames(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    calico.pool("fe80:ba:ad:beef::/120")
    let start = String(repeating: "a", count: 240)
    let hosts = [start + String(repeating: "b", count: 12), start]
    for host in hosts {
      let assigned = try await calico.assign(v4: 1, v6: 1, host: host)
      #expect((assigned.v4.count, assigned.v6.count) == (1, 1))
    }
    for host in hosts {
      #expect(try calico.affinities(of: host).keys.filter { $0.address.family == .v6 }.count == 1)
      #expect(try calico.affinities(of: host).count == 2)
    }
    #expect(try calico.affinities().count == 4)
  }
}
