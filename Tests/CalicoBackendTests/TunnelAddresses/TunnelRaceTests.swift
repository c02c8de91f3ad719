import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@Suite("Tunnel addresses, cut off and side by side")
struct TunnelRaceTests {
  private let handle = "ipip-tunnel-addr-n1"

  @Test(
    "a run that is cut off anywhere leaves at most one address, which the next run writes into the node",
    arguments: [true, false])
  func cutOff(commitsAtomically: Bool) async throws {
    var wasEverCut = false
    for place in 0..<20 {
      let world = TunnelWorld(commitsAtomically: commitsAtomically)
      world.pool("p", "172.16.0.0/29", blockSize: 29)
      let count = Atomic(0)
      // The process dies here: nothing that it would do afterwards is done either.
      world.memory.injectFaults { _ in count.add(1, ordering: .relaxed).oldValue >= place ? .unavailable : .proceed }
      let error = await tunnelFailure { try await world.reconcile() }
      wasEverCut = wasEverCut || error != nil
      world.memory.injectFaults(nil)
      let left = try await world.addresses(handle)
      #expect(left.count <= 1, "cut off at write \(place)")
      let report = try await world.reconcile()
      let address = try #require(report.addresses[.ipip])
      if let first = left.first { #expect(address.description == first, "cut off at write \(place)") }
      #expect(try await world.addresses(handle) == [address.description], "cut off at write \(place)")
      #expect(try world.inUse() == 1, "cut off at write \(place)")
    }
    #expect(wasEverCut)
  }

  @Test("when the node cannot be written, what was assigned is given back")
  func giveBack() async throws {
    let world = TunnelWorld()
    world.pool("p", "172.16.0.0/29", blockSize: 29)
    world.memory.injectFaults { write in
      if case .resource(.node, _) = write.key { .unavailable } else { .proceed }
    }
    #expect(await tunnelFailure { try await world.reconcile() } != nil)
    #expect(try world.inUse() == 0)
    #expect(try await world.addresses(handle).isEmpty)
  }

  @Test("a node that others write meanwhile is read again, and what they wrote stays")
  func conflict() async throws {
    let world = TunnelWorld()
    world.pool("p", "172.16.0.0/29", blockSize: 29)
    let isFirst = Atomic(true)
    world.memory.injectFaults { write in
      guard case .resource(.node, _) = write.key, isFirst.exchange(false, ordering: .relaxed) else { return .proceed }
      world.setNode(#""bgp":{"ipv4Address":"172.30.1.11/24"}"#, labels: #""rack":"a""#)
      return .proceed
    }
    let report = try await world.reconcile()
    let section = try #require(try world.specification()["bgp"]?.objectValue)
    #expect(section["ipv4Address"]?.stringValue == "172.30.1.11/24")
    #expect(section["ipv4IPIPTunnelAddr"]?.stringValue == report.addresses[.ipip]?.description)
    #expect(try world.inUse() == 1)
  }

  @Test("a node that is written again and again is given up, and what was assigned is given back")
  func endlessConflicts() async throws {
    let world = TunnelWorld()
    world.pool("p", "172.16.0.0/29", blockSize: 29)
    world.memory.injectFaults { write in
      if case .resource(.node, _) = write.key { .conflict } else { .proceed }
    }
    #expect(await tunnelFailure { try await world.reconcile() } == "update conflict: Node(n1)")
    #expect(try world.inUse() == 0)
  }

  @Test("several agents of one node at once come to one address", arguments: [true, false])
  func agents(commitsAtomically: Bool) async throws {
    for _ in 0..<30 {
      let world = TunnelWorld(commitsAtomically: commitsAtomically)
      world.pool("p", "172.16.0.0/28", #""ipipMode":"Always","vxlanMode":"Never""#, blockSize: 29)
      world.pool("q", "172.17.0.0/28", #""vxlanMode":"Always""#, blockSize: 29)
      let results = await withTaskGroup(of: TunnelAddressReport?.self) { group in
        for _ in 0..<4 {
          group.addTask { try? await world.reconcile() }
        }
        return await group.reduce(into: [TunnelAddressReport]()) { reports, report in
          if let report { reports.append(report) }
        }
      }
      let last = try await world.reconcile()
      #expect(last.changes.isEmpty)
      #expect(!results.isEmpty)
      for result in results { #expect(result.addresses == last.addresses) }
      #expect(try world.inUse() == 2)
    }
  }
}

@Suite("What makes tunnel addresses be seen to")
struct TunnelTriggerTests {
  private typealias Events = AsyncStream<TunnelAddressEvent>

  /// The addresses in the next event; nil when it tells of a failure.
  private func next(_ events: inout Events.Iterator) async -> [TunnelAddressKind: String]? {
    guard case .reconciled(let report)? = await events.next(isolation: #isolation) else { return nil }
    return report.addresses.mapValues(\.description)
  }

  @Test(
    "pools, labels, keys and the node's coming count; what else is written into the node does not",
    .timeLimit(.minutes(1)))
  func triggers() async throws {
    let world = TunnelWorld()
    let (stream, continuation) = Events.makeStream()
    let service = Task {
      await world.tunnels().run { event in
        if case .terminated = continuation.yield(event) { false } else { true }
      }
    }
    var events = stream.makeAsyncIterator()
    #expect(await next(&events) == [:])
    world.pool("p", "172.16.0.0/31", #""ipipMode":"Always","nodeSelector":"rack == 'a'""#)
    #expect(await next(&events) == [:])
    // Does not count; were it told of, the next event would be without an address.
    world.setNode(#""orchRefs":[{"nodeName":"n1"}]"#)
    try await Task.sleep(for: .milliseconds(50))
    world.setNode(labels: #""rack":"a""#)
    #expect(await next(&events) == [.ipip: "172.16.0.0"])
    // The service's own write is looked at once more.
    #expect(await next(&events) == [.ipip: "172.16.0.0"])
    world.memory.put(nil, at: KeyPath.path(of: .resource(.node, "n1")))
    guard case .failed(let reason)? = await events.next(isolation: #isolation) else {
      Issue.record("a node that is gone was not told of")
      return
    }
    #expect(reason.hasPrefix("failed to reconcile tunnel address: failed to fetch node resource 'n1'"))
    world.setNode(labels: #""rack":"a""#)
    #expect(await next(&events) == [.ipip: "172.16.0.0"])
    service.cancel()
    await service.value
  }
}
