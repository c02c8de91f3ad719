import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// Specification section 7.6.
@Suite("Borrowing and limits")
struct BorrowingTests {
  @Test("29: a host borrows from the only block unless affinity is strict", arguments: modes)
  func strictness(mode: Mode) async throws {
    for isStrict in [false, true, false] {
      let calico = Cluster(mode)
      calico.pool("10.0.0.0/28", blockSize: 28)
      calico.configuration.strictAffinity = isStrict
      #expect(try await calico.assign(v4: 1, host: "host1").v4.count == 1)
      let second = try await calico.assign(v4: 1, host: "host2")
      #expect(second.error == nil)
      #expect(second.v4.count == (isStrict ? 0 : 1))
      #expect(try calico.affinities().count == 1)
      calico.configuration.strictAffinity = false
      #expect(try await calico.assign(v4: 1, host: "host1").v4.count == 1)
      #expect(try await calico.assign(v4: 1, host: "host2").v4.count == 1)
    }
  }

  @Test("30: owner and borrower release by handle", arguments: modes)
  func releaseByHandle(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/28", blockSize: 28)
    _ = try await calico.assign(v4: 1, handle: "handle-1", host: "host1")
    _ = try await calico.assign(v4: 1, handle: "handle-2", host: "host2")
    #expect(try calico.block("10.0.0.0/28").affinity == "host:host1")
    #expect(try await calico.release(handle: "handle-1") == 1)
    #expect(try await calico.release(handle: "handle-2") == 1)
    #expect(try calico.block("10.0.0.0/28").isEmpty)
  }

  @Test("31: the smaller of the configured and the requested limit holds", arguments: modes)
  func limits(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/28", blockSize: 30)
    calico.configuration.strictAffinity = true
    calico.configuration.maxBlocksPerHost = 2
    for _ in 0..<8 {
      #expect(try await calico.assign(v4: 1, host: "host1").v4.count == 1)
    }
    try await expectLimit(2, calico)
    #expect(try await calico.assign(v4: 1, host: "host2").v4.count == 1)
    try await expectLimit(2, calico)
    try await expectLimit(2, requested: 3, calico)
    calico.configuration.maxBlocksPerHost = 3
    try await expectLimit(2, requested: 2, calico)
    let allowed = try await calico.assign(v4: 1, host: "host1")
    #expect(allowed.error == nil)
    #expect(allowed.v4.count == 1)
  }

  private func expectLimit(_ limit: Int, requested: Int = 0, _ calico: Cluster) async throws {
    let refused = try await calico.assign(v4: 1, host: "host1", blockLimit: requested)
    #expect(refused.error?.code == .blockLimit)
    #expect(refused.error?.description == "cannot allocate new block due to per host block limit")
    #expect(refused.v4.isEmpty)
    #expect(
      refused.messages
        == ["Need to allocate an IPAM block but could not - limit of \(limit) blocks reached for this node"])
  }

  @Test("32: a host whose labels moved on has no pool, and others borrow from its block", arguments: modes)
  func movedLabels(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/30", blockSize: 30, nodes: "foo == \"bar\"")
    calico.node("host1", labels: ["foo": "bar"])
    calico.node("host2")
    #expect(try await calico.assign(v4: 3, host: "host1").v4.count == 3)
    calico.node("host1")
    calico.node("host2", labels: ["foo": "bar"])
    let refused = try await calico.assign(v4: 1, host: "host1")
    #expect(refused.error?.description == "no configured Calico pools for node host1")
    #expect(refused.family(.v4) == nil)
    #expect(try await calico.assign(v4: 1, host: "host2").v4.count == 1)
    #expect(try calico.block("10.0.0.0/30").affinity == "host:host1")
  }

  @Test("29: what can be borrowed is borrowed although it is not enough, after a conflict too", arguments: modes)
  func conflictWhileShort(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/29", blockSize: 30)
    #expect(try await calico.assign(v4: 3, host: "host1").v4.count == 3)
    #expect(try await calico.assign(v4: 3, host: "host2").v4.count == 3)
    let once = Once()
    calico.store.injectFaults { _ in once.take() ? .conflict : .proceed }
    let borrowed = try await calico.assign(v4: 3, host: "host3")
    #expect(borrowed.v4.count == 2)
    #expect(borrowed.messages == ["No IPs available in pools: [10.0.0.0/29]"])
  }
}
