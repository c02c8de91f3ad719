import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// Specification section 7.4.
@Suite("Handles and their limits")
struct HandleLimitTests {
  @Test("20: a handle is there as long as it has addresses", arguments: modes)
  func life(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    #expect(try await failure { try await calico.addresses(of: "handle") }?.code == .doesNotExist)
    let assigned = try await calico.assign(v4: 1, handle: "handle").v4
    #expect(try await calico.addresses(of: "handle") == assigned)
    #expect(try await calico.release(handle: "handle") == 1)
    #expect(try await failure { try await calico.addresses(of: "handle") }?.code == .doesNotExist)
    #expect(try await calico.release(handle: "handle") == nil)
  }

  @Test("21: a handle that is full gets its own addresses again, in both families", arguments: modes)
  func reuse(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    calico.pool("fd80:24e2:f998:72d6::/120")
    let first = try await calico.assign(v4: 1, v6: 1, handle: "handle", maxPerHandle: 1)
    let second = try await calico.assign(v4: 1, v6: 1, handle: "handle", maxPerHandle: 1)
    #expect((first.v4.count, first.v6.count) == (1, 1))
    #expect(second.v4 == first.v4)
    #expect(second.v6 == first.v6)
    #expect(second.family(.v4)?.addresses.first?.address.prefixLength == 32)
    #expect(try await calico.addresses(of: "handle").count == 2)
  }

  @Test("22: a handle that is full gets the address it has, and no other", arguments: modes)
  func namedAddress(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    for _ in 0..<2 {
      try await calico.assign(address: "10.0.0.1", handle: "handle", maxPerHandle: 1)
      #expect(try await calico.addresses(of: "handle") == ["10.0.0.1"])
    }
    let error = try await failure { try await calico.assign(address: "10.0.0.2", handle: "handle", maxPerHandle: 1) }
    #expect(error?.description.contains("already has IP(s) allocated") == true)
    #expect(try calico.handle("handle") == ["10.0.0.0/26": 1])
  }

  @Test("23: a handle with room for two gets two different addresses, then one of them", arguments: modes)
  func roomForTwo(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    var seen: [IPAddress] = []
    for _ in 0..<3 {
      seen += try await calico.assign(v4: 1, handle: "handle", maxPerHandle: 2).v4
    }
    #expect(seen.count == 3)
    #expect(seen[0] != seen[1])
    #expect(seen.prefix(2).contains(seen[2]))
    #expect(try await calico.addresses(of: "handle").count == 2)
  }

  @Test("23: a count that a conflict left behind does not count against the handle (8.3, D2)", arguments: modes)
  func countOfAConflict(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    _ = try await calico.assign(v4: 1)
    conflictOnce(calico)
    #expect(try await calico.assign(v4: 1, handle: "handle", maxPerHandle: 1).v4.count == 1)
    conflictOnce(calico)
    try await calico.assign(address: "10.0.0.9", handle: "other", maxPerHandle: 1)
    #expect(try calico.handle("handle")?.values.reduce(0, +) == 1)
    #expect(try calico.handle("other")?.values.reduce(0, +) == 1)
  }

  /// The next write of a block is refused.
  private func conflictOnce(_ calico: Cluster) {
    let once = Once()
    calico.store.injectFaults { write in
      if case .block = write.key, once.take() { return .conflict }
      return .proceed
    }
  }
}
