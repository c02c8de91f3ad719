import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoEngine

/// Specification section 7.9, items 53 and 55, and requests that are all or nothing.
@Suite("AutoAssign: results and many pools")
struct AutoAssignResultTests {
  struct Shortfall: Sendable {
    var count = 0
    var messages: [String] = []
    var reservation: String?
    var text: String?
  }

  @Test(
    "53: a result with too few addresses says why",
    arguments: [
      Shortfall(count: 1, text: nil),
      Shortfall(
        messages: ["No more free affine blocks and strict affinity enabled"],
        text: "Assigned 0 out of 1 requested IPv4 addresses; No more free affine blocks and strict affinity enabled"),
      Shortfall(
        messages: ["Need to allocate an IPAM block but could not - limit of 20 blocks reached for this node"],
        text: "Assigned 0 out of 1 requested IPv4 addresses; Need to allocate an IPAM block but could not - "
          + "limit of 20 blocks reached for this node"),
      Shortfall(
        messages: ["No IPs available in pools: [192.168.0.0/24 192.168.1.0/24]"],
        text: "Assigned 0 out of 1 requested IPv4 addresses; "
          + "No IPs available in pools: [192.168.0.0/24 192.168.1.0/24]"),
      Shortfall(
        reservation: "windows-reserved-ipam-handle",
        text: "Assigned 0 out of 1 requested IPv4 addresses; HostReservedAttr: windows-reserved-ipam-handle"),
      Shortfall(
        messages: ["one", "two"], text: "Assigned 0 out of 1 requested IPv4 addresses; one; two"),
    ])
  func shortfall(item: Shortfall) {
    let address = AcquiredAddress(address: "192.168.0.1/26", block: "192.168.0.0/26", sequenceNumber: 1)
    let result = FamilyResult(
      family: .v4, requested: 1, addresses: Array(repeating: address, count: item.count), messages: item.messages,
      reservationHandleID: item.reservation)
    #expect(result.shortfall == item.text)
  }

  @Test("53: several pools without addresses are named in one message", arguments: modes)
  func poolsInOneMessage(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.0.0/30", blockSize: 30)
    calico.pool("192.168.1.0/30", blockSize: 30)
    let assigned = try await calico.assign(v4: 9)
    #expect(
      assigned.family(.v4)?.shortfall
        == "Assigned 8 out of 9 requested IPv4 addresses; No IPs available in pools: [192.168.0.0/30 192.168.1.0/30]")
  }

  @Test("53: a request for all or nothing that gets nothing says why", arguments: modes)
  func allOrNothing(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.0.0/30", blockSize: 30)
    calico.pool("fd00::/120")
    let short = try await calico.assign(v4: 5, v6: 1, handle: "handle", isAllOrNothing: true)
    #expect(short.v4.isEmpty && short.v6.isEmpty)
    #expect(short.messages == ["No IPs available in pools: [192.168.0.0/30]"])
    #expect(try calico.handle("handle") == nil)
    #expect(try calico.blocks().isEmpty)
    let limited = try await calico.assign(v4: 1, v6: 65, handle: "handle", blockLimit: 1, isAllOrNothing: true)
    #expect(limited.v4.isEmpty && limited.v6.isEmpty)
    #expect(limited.error?.code == .blockLimit)
    let noPool = try await calico.assign(v4: 1, v6: 1, use: .loadBalancer, isAllOrNothing: true)
    #expect(noPool.error?.code == .noQualifiedPool)
    #expect(try calico.blocks().isEmpty)
    let both = try await calico.assign(v4: 4, v6: 1, handle: "handle", isAllOrNothing: true)
    #expect((both.v4.count, both.v6.count) == (4, 1))
  }

  @Test("53: what one family got is kept when the other first has to reclaim a block", arguments: modes)
  func reclaimForTheOther(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("192.168.0.0/30", blockSize: 30)
    calico.pool("fd00::/126", blockSize: 126)
    calico.configuration.strictAffinity = true
    _ = try await calico.assign(v6: 1, handle: "handle", host: "host-b")
    try await calico.release(handle: "handle")
    calico.advance(seconds: 61)
    let both = try await calico.assign(v4: 5, v6: 1)
    #expect((both.v4.count, both.v6.count) == (4, 1))
    #expect(both.messages == ["No more free affine blocks and strict affinity enabled"])
  }

  @Test("55: many nodes get a first and a second address, from many pools", arguments: modes, [26, 32])
  func manyNodes(mode: Mode, blockSize: Int) async throws {
    let calico = Cluster(mode)
    for number in 0..<100 { calico.pool("10.\(number).0.0/16", blockSize: blockSize) }
    var seen: Set<IPAddress> = []
    for _ in 0..<2 {
      for number in 0..<25 {
        let assigned = try await calico.assign(v4: 1, handle: "handle-\(number)", host: "node-\(number)").v4
        #expect(assigned.count == 1)
        seen.formUnion(assigned)
      }
    }
    #expect(seen.count == 50)
    for number in 0..<25 { #expect(try await calico.release(handle: "handle-\(number)") == 2) }
  }

  @Test("55: blocks of 4096 addresses are filled and emptied", arguments: modes)
  func largeBlocks(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/16", blockSize: 20)
    #expect(try await calico.assign(v4: 5000, handle: "handle").v4.count == 5000)
    #expect(try calico.blocks().count == 2)
    #expect(try await calico.release(handle: "handle") == 5000)
  }
}
