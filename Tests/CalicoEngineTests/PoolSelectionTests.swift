import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.7, items 33 to 41.
@Suite("Pools")
struct PoolSelectionTests {
  private let pool1: CIDR = "10.0.0.0/24"
  private let pool2: CIDR = "20.0.0.0/24"

  private func twoPools(_ mode: Mode) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    calico.pool("20.0.0.0/24")
    return calico
  }

  @Test("33: a requested pool serves, from the same block each time", arguments: modes)
  func requested(mode: Mode) async throws {
    let calico = twoPools(mode)
    for _ in 0..<2 {
      for pool in [pool1, pool2] {
        let assigned = try await calico.assign(v4: 1, v4Pools: [pool]).v4
        #expect(assigned.count == 1)
        #expect(assigned.allSatisfy { pool.contains($0) })
      }
    }
    let blocks = try calico.blocks()
    #expect(blocks.count == 2)
    #expect(blocks.values.allSatisfy { $0.unallocated.count == 62 })
    #expect(blocks.keys.filter { pool1.contains($0) }.count == 1)
  }

  @Test("34: a requested pool that is full is not replaced by another", arguments: modes)
  func full(mode: Mode) async throws {
    let calico = twoPools(mode)
    _ = try await calico.assign(v4: 2, v4Pools: [pool2])
    let all = try await calico.assign(v4: 254, v4Pools: [pool2])
    #expect(all.v4.count == 254)
    #expect(all.v4.allSatisfy { pool2.contains($0) })
    let more = try await calico.assign(v4: 1, v4Pools: [pool2])
    #expect(more.error == nil)
    #expect(more.v4.isEmpty)
    #expect(try calico.blocks().keys.allSatisfy { pool2.contains($0) })
  }

  @Test("35: pools that do not select the node are left alone", arguments: modes)
  func nodeSelector(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", nodes: "foo == \"bar\"")
    calico.pool("20.0.0.0/24", nodes: "foo != \"bar\"")
    calico.node("host-a", labels: ["foo": "bar"])
    let assigned = try await calico.assign(v4: 300).v4
    #expect(assigned.count == 256)
    #expect(assigned.allSatisfy { pool1.contains($0) })
  }

  @Test("36: a block of a pool that selects the node no longer goes with its last address", arguments: modes)
  func lastAddress(mode: Mode) async throws {
    for isByHandle in [false, true] {
      let calico = Cluster(mode)
      calico.pool("10.0.0.0/24", nodes: "foo == \"bar\"")
      calico.node("host-a", labels: ["foo": "bar"])
      var assigned: [IPAddress] = []
      for number in 0..<3 {
        assigned += try await calico.assign(v4: 1, handle: "handle-\(number)").v4
      }
      for number in 0..<3 {
        if number == 1 { calico.pool("10.0.0.0/24", nodes: "foo == \"other\"") }
        #expect(try calico.affinities(of: "host-a").count == 1)
        if isByHandle {
          #expect(try await calico.release(handle: "handle-\(number)") == 1)
        } else {
          #expect(try await calico.release([assigned[number]]).unallocated.isEmpty)
        }
      }
      #expect(try calico.blocks().isEmpty)
      #expect(try calico.affinities().isEmpty)
    }
  }

  @Test(
    "37: an empty block of a pool that selects the node no longer is given up by the next request", arguments: modes)
  func emptyBlock(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", nodes: "foo == \"bar\"")
    calico.node("host-a", labels: ["foo": "bar"])
    _ = try await calico.assign(v4: 3, handle: "handle")
    try await calico.release(handle: "handle")
    calico.pool("10.0.0.0/24", nodes: "foo == \"other\"")
    calico.pool("20.0.0.0/24")
    let assigned = try await calico.assign(v4: 3).v4
    #expect(assigned.count == 3)
    #expect(assigned.allSatisfy { pool2.contains($0) })
    #expect(try calico.blocks().count == 1)
    #expect(try calico.affinities().count == 1)
  }

  @Test("38: an empty block of a pool for another use stays", arguments: modes)
  func otherUse(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", uses: [.workload])
    calico.pool("20.0.0.0/24", uses: [.tunnel])
    _ = try await calico.assign(v4: 3, handle: "handle")
    try await calico.release(handle: "handle")
    let tunnel = try await calico.assign(v4: 1, use: .tunnel).v4
    #expect(tunnel.count == 1)
    #expect(tunnel.allSatisfy { pool2.contains($0) })
    #expect(try calico.blocks().count == 2)
    #expect(try calico.affinities().count == 2)
  }

  @Test("39: an empty block of a pool that is only not asked for stays", arguments: modes)
  func notRequested(mode: Mode) async throws {
    let calico = twoPools(mode)
    _ = try await calico.assign(v4: 3, handle: "handle", v4Pools: [pool1])
    try await calico.release(handle: "handle")
    let assigned = try await calico.assign(v4: 3, v4Pools: [pool2]).v4
    #expect(assigned.count == 3)
    #expect(assigned.allSatisfy { pool2.contains($0) })
    #expect(try calico.blocks().count == 2)
    #expect(try calico.affinities().count == 2)
  }

  @Test("40: requested pools are used in their order, and must all exist", arguments: modes)
  func order(mode: Mode) async throws {
    let calico = twoPools(mode)
    let first = try await calico.assign(v4: 1, v4Pools: [pool1, pool2]).v4
    #expect(first.count == 1)
    #expect(first.allSatisfy { pool1.contains($0) })
    #expect(try await calico.assign(v4: 300, v4Pools: [pool1, pool2]).v4.count == 300)
    let rest = try await calico.assign(v4: 300, v4Pools: [pool1, pool2])
    #expect(rest.error == nil)
    #expect(rest.v4.count == 512 - 301)
    let missing = try await calico.assign(v4: 1, v4Pools: [pool1, "40.0.0.0/24"])
    #expect(missing.family(.v4) == nil)
    #expect(missing.error?.description == "the given pool (40.0.0.0/24) does not exist, or is not enabled")
  }

  @Test("40: a disabled pool and one of the other family cannot be requested", arguments: modes)
  func unusable(mode: Mode) async throws {
    let calico = twoPools(mode)
    calico.pool("30.0.0.0/24", isDisabled: true)
    let disabled = try await calico.assign(v4: 1, v4Pools: [pool1, "30.0.0.0/24"])
    #expect(disabled.error?.description == "the given pool (30.0.0.0/24) does not exist, or is not enabled")
    let inV6 = try await failure { try await calico.assign(v6: 1, v6Pools: [pool1]) }
    #expect(inV6?.description == "provided IPv6 IPPools list contains one or more IPv4 IPPools")
    let inV4 = try await failure { try await calico.assign(v4: 1, v4Pools: ["fd00::/64"]) }
    #expect(inV4?.description == "provided IPv4 IPPools list contains one or more IPv6 IPPools")
  }

  @Test("41: a pool that replaces a deleted one serves hosts with and without an old block", arguments: modes)
  func replaced(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    _ = try await calico.assign(v4: 1, host: "host-a")
    calico.deletePool("10.0.0.0/24")
    calico.pool("20.0.0.0/24")
    for host in ["host-b", "host-a"] {
      let assigned = try await calico.assign(v4: 1, host: host).v4
      #expect(assigned.count == 1)
      #expect(assigned.allSatisfy { pool2.contains($0) })
    }
    #expect(try calico.affinities(of: "host-a").count == 2)
  }

  @Test("a pool whose blocks nobody could read gives nothing out", arguments: modes, [18, 19, 28])
  func unusableBlockSize(mode: Mode, blockSize: Int) async throws {
    let calico = Cluster(mode)
    calico.pool(blockSize == 28 ? "10.0.0.0/29" : "10.0.0.0/16", blockSize: blockSize)
    #expect(try await calico.assign(v4: 1).v4.isEmpty)
    await #expect(throws: EngineError.self) { try await calico.assign(address: "10.0.0.1") }
    #expect(try calico.blocks().isEmpty)
  }
}
