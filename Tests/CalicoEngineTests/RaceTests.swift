import CalicoModel
import Datastore
import IPAddressing
import TestSupport
import Testing

@testable import CalicoEngine

/// Specification section 7.10, items 56 to 58: operations whose reads and writes are interleaved.
@Suite("Races")
struct RaceTests {
  @Test("56: 32 hosts take their first address of 16 blocks at once", arguments: modes, 0..<3 as Range<UInt64>)
  func manyHosts(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/22")
    var generator = SeededGenerator(seed: seed)
    let processes = try (0..<32).map { try calico.assigning(handle: "handle-\($0)", host: "host-\($0)") }
    try await calico.interleave(processes, &generator)
    var seen: Set<IPAddress> = []
    for (number, process) in processes.enumerated() {
      let addresses = process.result?.v4 ?? []
      #expect(addresses.count == 1, "\(String(describing: process.error))")
      seen.formUnion(addresses)
      let own = try calico.affinities(of: "host-\(number)").keys
      if let block = own.first { #expect(addresses.allSatisfy { block.contains($0) }) }
    }
    #expect(seen.count == 32)
    try expectConsistentAffinities(calico, count: 16)
  }

  /// There are so many affinities, all of them confirmed and of blocks that name their hosts.
  private func expectConsistentAffinities(
    _ calico: Cluster, count: Int, at location: SourceLocation = #_sourceLocation
  ) throws {
    let blocks = try calico.blocks()
    let affinities = try calico.affinities()
    #expect(affinities.count == count, sourceLocation: location)
    for (key, state) in affinities {
      guard case .affinity(let owner, let cidr) = key else { continue }
      #expect(state == .confirmed, sourceLocation: location)
      #expect(blocks[cidr]?.affinity == owner.description, sourceLocation: location)
    }
  }

  @Test("57: four requests of one host share its block", arguments: modes, 0..<10 as Range<UInt64>)
  func oneHost(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/25")
    var generator = SeededGenerator(seed: seed)
    let processes = try (0..<4).map { try calico.assigning(handle: "handle-\($0)", host: "host-a") }
    try await calico.interleave(processes, &generator)
    #expect(Set(processes.flatMap { $0.result?.v4 ?? [] }).count == 4)
    // Two when one of them saw another's claim and took the next block (section 6.2, W13).
    let count = try calico.affinities().count
    #expect((1...2).contains(count))
    try expectConsistentAffinities(calico, count: count)
  }

  @Test("58: four claims and then four releases of one network by one host", arguments: modes, 0..<5 as Range<UInt64>)
  func claims(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/22")
    calico.node("host-a")
    var generator = SeededGenerator(seed: seed)
    let claims = (0..<4).map { _ in
      calico.process(ClaimAffinity("10.0.0.0/22", for: .host("host-a"), time: calico.tick()))
    }
    try await calico.interleave(claims, &generator)
    for claim in claims {
      #expect(claim.result?.claimed.count == 16, "\(String(describing: claim.error))")
      #expect(claim.result?.failed.isEmpty == true)
    }
    try expectConsistentAffinities(calico, count: 16)
    let releases = (0..<4).map { _ in
      calico.process(
        ReleaseAffinities(.network("10.0.0.0/22", .host("host-a")), mustBeEmpty: false, time: calico.tick()))
    }
    try await calico.interleave(releases, &generator)
    #expect(releases.allSatisfy { $0.error == nil })
    #expect(try calico.blocks().isEmpty)
  }

  @Test("57: a handle with room for one gets one address from four requests", arguments: modes, 0..<10 as Range<UInt64>)
  func oneHandle(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    var generator = SeededGenerator(seed: seed)
    let processes = try (0..<4).map { try calico.assigning(handle: "vm", host: "host-\($0)", maxPerHandle: 1) }
    try await calico.interleave(processes, &generator)
    #expect(try await calico.addresses(of: "vm").count <= 1)
    let assigned = try await calico.assign(v4: 1, handle: "vm", maxPerHandle: 1).v4
    #expect(assigned.count == 1)
    #expect(try await calico.addresses(of: "vm") == assigned)
    #expect(try calico.handle("vm")?.values.reduce(0, +) == 1)
  }
}
