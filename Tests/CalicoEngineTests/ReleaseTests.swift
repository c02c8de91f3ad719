import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.1.
@Suite("Release and sequence numbers")
struct ReleaseTests {
  private let handle = "testnode-ipip-tunnel-address"

  @Test("1: an assignment can be released with its own sequence number only", arguments: modes)
  func sequenceNumbers(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    var expected: UInt64?
    for _ in 0..<10 {
      let assigned = try await calico.assign(v4: 1, handle: handle, host: "testnode", use: .tunnel)
      let address = try #require(assigned.v4.first)
      let number = try #require(try calico.number(of: address))
      if let expected { #expect(number == expected) }
      try await calico.release(handle: handle)
      try await calico.assign(address: address, handle: handle, host: "testnode", use: .tunnel)
      #expect(try calico.number(of: address) == number + 2)
      try await refuseThenRelease(address, old: number, new: number + 2, calico)
      expected = number + 4
      #expect(try calico.blocks().count == 1)
    }
  }

  /// A release with an old number is refused and changes nothing; with the number at hand it succeeds.
  private func refuseThenRelease(_ address: IPAddress, old: UInt64, new: UInt64, _ calico: Cluster) async throws {
    let refused = try await calico.release([ReleaseOption(address, handleID: handle, sequenceNumber: old)])
    #expect(refused.error?.code == .conflict)
    #expect(refused.unallocated.isEmpty)
    #expect(refused.released.isEmpty)
    #expect(try calico.number(of: address) == new)
    let released = try await calico.release([ReleaseOption(address, handleID: handle, sequenceNumber: new)])
    #expect(released.error == nil)
    #expect(released.released.count == 1)
    #expect(try calico.handle(handle) == nil)
  }

  @Test("2: an address is given out again after every other of its block", arguments: modes)
  func wrap(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    var seen: [IPAddress] = []
    for _ in 0..<5 {
      let address = try #require(try await calico.assign(v4: 1).v4.first)
      seen.append(address)
      #expect(try await calico.release([address]).unallocated.isEmpty)
    }
    #expect(Set(seen.prefix(4)).count == 4)
    #expect(seen[4] == seen[0])
  }

  @Test("3: a pool that replaces a deleted one serves the next request", arguments: modes)
  func replacedPool(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    let first = try await calico.assign(v4: 1)
    #expect(first.v4.allSatisfy { CIDR("10.0.0.0/24").contains($0) })
    calico.deletePool("10.0.0.0/24")
    calico.pool("11.0.0.0/24")
    let second = try await calico.assign(v4: 1)
    #expect(second.v4.count == 1)
    #expect(second.v4.allSatisfy { CIDR("11.0.0.0/24").contains($0) })
  }

  @Test(
    "4: a block that belongs to nobody goes with its last address, and its numbers never come back", arguments: modes)
  func recreatedBlock(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30)
    for _ in 0..<10 {
      let assigned = try await calico.assign(v4: 1, handle: handle, host: "testnode", use: .tunnel)
      let address = try #require(assigned.v4.first)
      let number = try #require(try calico.number(of: address))
      try await calico.giveUp(.owner(.host("testnode")))
      #expect(try calico.block(of: address).affinity == nil)
      #expect(try await calico.release(handle: handle) == 1)
      #expect(try calico.blocks().isEmpty)
      try await calico.assign(address: address, handle: handle, host: "testnode", use: .tunnel)
      let again = try #require(try calico.number(of: address))
      #expect(again > number)
      try await refuseThenRelease(address, old: number, new: again, calico)
      #expect(try calico.blocks().count == 1)
    }
  }

  @Test("5: a hundred addresses of two families and four nodes are released at once", arguments: modes)
  func manyAddresses(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24", blockSize: 30, nodes: "name in {'node1', 'node2'}")
    calico.pool("11.0.0.0/24", blockSize: 30, nodes: "name in {'node3', 'node4'}")
    calico.pool("fe80:ba:ad:beef::/120")
    var all: [IPAddress] = []
    for host in ["node1", "node2", "node3", "node4"] {
      calico.node(host, labels: ["name": host])
      for _ in 0..<6 {
        let both = try await calico.assign(v4: 1, v6: 1, host: host)
        all += both.v4 + both.v6
      }
      all += try await calico.assign(v4: 13, host: host).v4
    }
    #expect(Set(all).count == 100)
    calico.pool("11.0.0.0/24", blockSize: 30, nodes: "name in {'node3', 'node4'}", isDisabled: true)
    let released = try await calico.release(all)
    #expect(released.error == nil)
    #expect(released.unallocated.isEmpty)
    #expect(released.released.count == 100)
  }

  @Test("6: an address that is released twice in one call is free once", arguments: modes)
  func duplicate(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/26")
    #expect(try await calico.assign(v4: 64).v4.count == 64)
    let released = try await calico.release(["10.0.0.1", "10.0.0.1"])
    #expect(released.error == nil)
    #expect(released.unallocated.isEmpty)
    try await calico.assign(address: "10.0.0.1")
    let more = try await calico.assign(v4: 1)
    #expect(more.error == nil)
    #expect(more.v4.isEmpty)
  }

  struct Condition: Sendable, CustomTestStringConvertible {
    var option: ReleaseOption
    var isMet: Bool
    var testDescription: String { "\(option.handleID ?? "-") \(option.sequenceNumber.map { String($0) } ?? "-")" }
  }

  @Test(
    "7: a release happens on its own condition only", arguments: modes,
    [
      Condition(option: ReleaseOption("192.168.0.1"), isMet: true),
      Condition(option: ReleaseOption("192.168.0.1", sequenceNumber: 0), isMet: true),
      Condition(option: ReleaseOption("192.168.0.1", sequenceNumber: 1), isMet: false),
      Condition(option: ReleaseOption("192.168.0.1", handleID: "fakehandle"), isMet: false),
    ])
  func conditions(mode: Mode, condition: Condition) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.0.0/16")
    let block = IPAMBlock(cidr: "192.168.0.0/26", owner: .host("host-a"), time: Timestamp(seconds: 0))
    #expect(block.sequenceNumber == 0)
    calico.put(block.encoded(), .block("192.168.0.0/26"))
    try await calico.assign(address: "192.168.0.1", handle: "handle")
    let result = try await calico.release([condition.option])
    #expect((result.error == nil) == condition.isMet)
    if !condition.isMet { #expect(result.error?.description == "update conflict: 192.168.0.1") }
    #expect(try calico.block("192.168.0.0/26").unallocated.count == (condition.isMet ? 64 : 63))
  }

  @Test("8: what was not given out is reported", arguments: modes)
  func unallocated(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.1.0/24")
    calico.pool("fd80:24e2:f998:72d6::/120")
    #expect(try await calico.release(["1.1.1.1"]).unallocated == ["1.1.1.1"])
    #expect(try await calico.release(["192.168.1.0"]).unallocated == ["192.168.1.0"])
    try await calico.assign(address: "192.168.1.0")
    #expect(try await calico.release(["192.168.1.0"]).unallocated.isEmpty)
    let many = try await calico.assign(v4: 66).v4
    #expect(many.count == 66)
    #expect(try calico.blocks().count == 2)
    #expect(try await calico.release(many).unallocated.isEmpty)
    #expect(try await calico.release(["192.168.1.1"]).unallocated == ["192.168.1.1"])
  }
}
