import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoEngine

/// Pools that nobody could ever fill: what they cost depends on what is used of them.
@Suite("Large pools")
struct LargePoolTests {
  @Test("83: a pool of any size gives out addresses", arguments: modes, ["fd00::/64", "fd00::/32", "fd00::/8", "::/0"])
  func anySize(mode: Mode, pool: String) async throws {
    for blockSize in [116, 122, 128] {
      let calico = Cluster(mode)
      calico.pool(pool, blockSize: blockSize)
      for host in ["host-a", "host-b", "host-c"] {
        let assigned = try await calico.assign(v6: 3, handle: host, host: host).v6
        #expect(Set(assigned).count == 3)
        #expect(try await calico.addresses(of: host).sorted() == assigned.sorted())
      }
      for host in ["host-a", "host-b", "host-c"] { #expect(try await calico.release(handle: host) == 3) }
    }
  }

  @Test("83: a named address of a large pool is given out and taken back", arguments: modes)
  func named(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("fd00::/32")
    let last: IPAddress = "fd00:0:ffff:ffff:ffff:ffff:ffff:ffff"
    try await calico.assign(address: last, handle: "handle")
    #expect(try await calico.attributes(of: last).block == "fd00:0:ffff:ffff:ffff:ffff:ffff:ffc0/122")
    #expect(try await calico.release([last]).unallocated.isEmpty)
    let error = try await failure { try await calico.claim("fd00::/32", for: "host-a") }
    #expect(error?.code == .invalidRequest)
  }

  @Test("83: an all but reserved large pool gives out what is left", arguments: modes)
  func reserved(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("fd00::/64")
    // All but fd00::/122.
    let cidrs = (65...122).map { length in
      CIDR(IPAddress(v6: 0xFD00 << 112 | 1 << UInt128(128 - length)), prefixLength: length)?.description ?? ""
    }
    calico.reserve(cidrs)
    #expect(try await calico.assign(v6: 64).v6.count == 64)
    let more = try await calico.assign(v6: 1)
    #expect(more.error == nil)
    #expect(more.v6.isEmpty)
    #expect(try calico.blocks().count == 1)
  }

  @Test("83: the first address of a host costs as much in a full cluster as in an empty one", arguments: modes)
  func cost(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("fd00::/64")
    var costs: Set<Int> = []
    for number in 0..<200 {
      calico.node("node-\(number)")
      let process = calico.process(
        try AutoAssign(
          AutoAssignRequest(
            [.init(.v6, count: 1)], handleID: "handle-\(number)", host: "node-\(number)", use: .workload,
            time: calico.tick())))
      try await process.finish()
      #expect(process.result?.v6.count == 1)
      costs.insert(process.reads)
      #expect(process.commits == 1)
    }
    #expect(costs.count == 1)
    #expect(try #require(costs.max()) < 20)
    calico.check("200 requests")
  }
}
