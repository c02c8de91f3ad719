import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// Specification section 7.9.
@Suite("AutoAssign")
struct AutoAssignTableTests {
  private let v6Pool = "fd80:24e2:f998:72d6::/120"

  private func cluster(_ mode: Mode, v4BlockSize: Int? = nil, v6BlockSize: Int? = nil) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("192.168.1.0/24", blockSize: v4BlockSize)
    calico.pool(v6Pool, blockSize: v6BlockSize)
    return calico
  }

  @Test("46: only pools for the use serve it", arguments: modes)
  func uses(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.2.0/24", blockSize: 32, uses: [.workload])
    calico.pool("192.168.3.0/24", blockSize: 32, uses: [.tunnel])
    let refused = try await calico.assign(v4: 1, v4Pools: ["192.168.3.0/24"])
    #expect(refused.error?.code == .noQualifiedPool)
    #expect(
      refused.error?.description
        == "cannot find a qualified ippool, no pools match the required use (Workload)")
    #expect(refused.family(.v4) == nil)
    #expect(try await calico.assign(v4: 1, v4Pools: ["192.168.2.0/24"]).v4.count == 1)
    let any = try await calico.assign(v4: 1).v4
    #expect(any.count == 1)
    #expect(any.allSatisfy { CIDR("192.168.2.0/24").contains($0) })
    #expect(try await calico.assign(v4: 1, use: .tunnel, v4Pools: ["192.168.3.0/24"]).v4.count == 1)
    calico.deletePool("192.168.2.0/24")
    #expect(try await calico.assign(v4: 1).error?.code == .noQualifiedPool)
  }

  @Test("47: one address of each family, from the smallest and from the largest blocks", arguments: modes)
  func oneOfEach(mode: Mode) async throws {
    let smallest = cluster(mode, v4BlockSize: 32, v6BlockSize: 128)
    let largest = Cluster(mode)
    largest.pool("192.168.0.0/16", blockSize: 20)
    largest.pool("fd80:24e2:f998:72d6::/110", blockSize: 116)
    for calico in [smallest, largest, cluster(mode)] {
      let assigned = try await calico.assign(v4: 1, v6: 1)
      #expect((assigned.v4.count, assigned.v6.count) == (1, 1))
    }
  }

  @Test("47: 256 addresses of each family", arguments: modes)
  func manyOfEach(mode: Mode) async throws {
    let byDefault = cluster(mode)
    let assigned = try await byDefault.assign(v4: 256, v6: 256)
    #expect((Set(assigned.v4).count, Set(assigned.v6).count) == (256, 256))
    #expect(try byDefault.blocks(.v4).count == 4)
    #expect(try byDefault.blocks(.v6).count == 4)
    let small = cluster(mode, v4BlockSize: 30, v6BlockSize: 126)
    let many = try await small.assign(v4: 256, v6: 256, handle: "handle", blockLimit: 256)
    #expect((Set(many.v4).count, Set(many.v6).count) == (256, 256))
    #expect(try small.blocks().count == 128)
    #expect(try small.handle("handle")?.values.reduce(0, +) == 512)
  }

  @Test("48: the limit on blocks ends a request with what it has", arguments: modes)
  func limit(mode: Mode) async throws {
    for limit in 1...2 {
      let assigned = try await cluster(mode).assign(v4: 256, blockLimit: limit)
      #expect(assigned.v4.count == 64 * limit)
      #expect(assigned.error?.code == .blockLimit)
      #expect(
        assigned.messages
          == ["Need to allocate an IPAM block but could not - limit of \(limit) blocks reached for this node"])
    }
    let v6 = try await cluster(mode).assign(v6: 256, blockLimit: 1)
    #expect(v6.v6.count == 64)
    #expect(v6.error?.code == .blockLimit)
  }

  @Test("48: an error of the first family ends the request", arguments: modes)
  func errorOfTheFirst(mode: Mode) async throws {
    let calico = cluster(mode)
    let assigned = try await calico.assign(v4: 256, v6: 1, blockLimit: 1)
    #expect(assigned.error?.code == .blockLimit)
    #expect(assigned.v4.count == 64)
    #expect(assigned.v6.isEmpty)
    #expect(try calico.blocks(.v6).isEmpty)
  }

  @Test("49: pools that are empty in the end are named", arguments: modes)
  func exhausted(mode: Mode) async throws {
    let v4 = try await cluster(mode).assign(v4: 257)
    #expect(v4.error == nil)
    #expect(v4.v4.count == 256)
    #expect(v4.messages == ["No IPs available in pools: [192.168.1.0/24]"])
    let v6 = try await cluster(mode).assign(v6: 257)
    #expect(v6.error == nil)
    #expect(v6.v6.count == 256)
    #expect(v6.messages == ["No IPs available in pools: [\(v6Pool)]"])
  }

  @Test("50: a host fills its own block and borrows the rest", arguments: modes)
  func borrow(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.1.0/25")
    _ = try await calico.assign(v4: 1, host: "host-a")
    _ = try await calico.assign(v4: 1, host: "host-b")
    #expect(try calico.blocks().count == 2)
    let assigned = try await calico.assign(v4: 64, host: "host-a")
    #expect(assigned.v4.count == 64)
    #expect(assigned.messages.isEmpty)
    let own = try #require(try calico.affinities(of: "host-a").keys.first)
    #expect(assigned.v4.filter { own.contains($0) }.count == 63)
  }

  @Test("51: with strict affinity a full pool is the end", arguments: modes)
  func strict(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.1.0/26")
    calico.pool("192.168.1.64/26")
    calico.configuration.strictAffinity = true
    let assigned = try await calico.assign(v4: 256, v4Pools: ["192.168.1.0/26"])
    #expect(assigned.v4.count == 64)
    #expect(assigned.error == nil)
    #expect(assigned.messages == ["No more free affine blocks and strict affinity enabled"])
  }

  @Test("52: a named address is given out once", arguments: modes)
  func named(mode: Mode) async throws {
    let calico = cluster(mode)
    try await calico.assign(address: "192.168.1.0")
    try await calico.assign(address: "fd80:24e2:f998:72d6::")
    let outside = try await failure { try await calico.assign(address: "1.1.1.1") }
    #expect(outside?.description == "The provided IP address is not in a configured pool\n")
    let twice = try await failure { try await calico.assign(address: "192.168.1.0") }
    #expect(twice?.code == .alreadyExists)
    #expect(
      twice?.description
        == "resource already exists: 192.168.1.0 with error: Address already assigned in block")
  }

  @Test("54: the defaults hold without a configuration, and none is written", arguments: modes)
  func configuration(mode: Mode) async throws {
    let calico = cluster(mode)
    #expect(calico.configuration.autoAllocateBlocks)
    #expect(!calico.configuration.strictAffinity)
    _ = try await calico.assign(v4: 1)
    #expect(calico.store.dump()[KeyPath.path(of: .configuration)] == nil)
    calico.configuration.autoAllocateBlocks = false
    calico.configuration.strictAffinity = true
    let stored = try #require(calico.store.dump()[KeyPath.path(of: .configuration)])
    let decoded = try IPAMConfiguration(decoding: stored)
    #expect(decoded.strictAffinity && !decoded.autoAllocateBlocks)
    let refused = try await calico.assign(v4: 1, host: "host-b")
    #expect(refused.error?.description == "failed to find or claim a block")
    #expect(refused.v4.isEmpty)
  }
}
