import CNetlink
import Glibc
import IPAddressing
import TestSupport
import Testing

@testable import Netlink

@Suite("Batches", .serialized, NetworkNamespace.condition)
struct BatchTests {
  private func blocks(_ count: Int, _ network: TestNetwork) -> [Route] {
    (0..<count).map { index in
      let address = IPAddress(v4: 0x0A41_0000 + UInt32(index) * 64)
      return Route(
        RouteKey(CIDR(address, prefixLength: 26) ?? "0.0.0.0/0", metric: 0), kind: .blackhole, origin: .agent)
    }
  }

  @Test("an all-error batch of 512 is answered in full, and does not hang")
  func allRefused() throws {
    try TestNetwork.run { network throws in
      #expect(network.kernel.batchLimit == 512)
      let refusals = try network.kernel.apply(blocks(512, network).map { .deleteRoute($0) })
      #expect(refusals.count == 512)
      #expect(refusals.values.allSatisfy { $0.errno == ESRCH })
      #expect(network.kernel.statistics.batches == 1)
    }
  }

  @Test("changes are made in their order across batches, and counted")
  func order() throws {
    try TestNetwork.run { network throws in
      let routes = blocks(3000, network)
      // Each addition is refused if the deletion of the same key has not come before.
      var changes = routes.map { KernelChange.addRoute($0) }
      for route in routes { changes += [.deleteRoute(route), .addRoute(route)] }
      changes += routes.dropLast().map { .deleteRoute($0) }
      #expect(try network.kernel.apply(changes).isEmpty)
      #expect(try network.ownRoutes() == Set(routes.suffix(1)))
      let statistics = network.kernel.statistics
      #expect(statistics.routeMessages == changes.count)
      #expect(statistics.otherMessages == 0)
      #expect(statistics.batches == (changes.count + 511) / 512)
    }
  }

  @Test("with little room for answers batches are so small that the answers to an all-error one find it")
  func littleRoom() throws {
    try TestNetwork.run { network throws in
      let kernel = try NetlinkKernel(timeout: 1, eventRoom: 4096, answerRoom: 8192)
      #expect(kernel.batchLimit == 16384 / 900)
      let refusals = try kernel.apply(blocks(1000, network).map { .deleteRoute($0) })
      #expect(refusals.count == 1000)
      #expect(refusals.values.allSatisfy { $0.errno == ESRCH })
      #expect(kernel.statistics.overflows == 0)
    }
  }

  @Test("refusals have the positions of their changes, in the batch of each")
  func positions() throws {
    try TestNetwork.run { network throws in
      let routes = blocks(2000, network)
      let taken = Set(stride(from: 3, to: 2000, by: 7))
      #expect(try network.kernel.apply(taken.map { .addRoute(routes[$0]) }).isEmpty)
      let refusals = try network.kernel.apply(routes.map { .addRoute($0) })
      #expect(Set(refusals.keys) == taken)
      #expect(refusals.values.allSatisfy { $0.errno == EEXIST })
    }
  }

  @Test("nothing is sent for no changes")
  func empty() throws {
    try TestNetwork.run { network throws in
      #expect(try network.kernel.apply([]).isEmpty)
      #expect(network.kernel.statistics.batches == 0)
    }
  }

  @Test("a change that no message can hold is refused, and those around it are made")
  func tooLong() throws {
    try TestNetwork.run { network throws in
      let routes = blocks(2, network)
      let giant = KernelChange.createLink(NewLink(name: String(repeating: "x", count: 1 << 20), kind: .ipip))
      let refusals = try network.kernel.apply([.addRoute(routes[0]), giant, giant, .addRoute(routes[1]), giant])
      #expect(refusals.keys.sorted() == [1, 2, 4])
      #expect(refusals[1]?.errno == EMSGSIZE)
      #expect(try network.ownRoutes() == Set(routes))
    }
  }

  @Test("lost answers are an overflow, the batch was made all the same, and the next one is smaller and works")
  func overflow() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      var room: Int32 = 4096
      #expect(
        setsockopt(kernel.writer.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, socklen_t(MemoryLayout<Int32>.size))
          == 0)
      let missing = blocks(511, network).map { KernelChange.deleteRoute($0) }
      let kept = network.blackhole("10.1.0.0/26")
      #expect(throws: NetlinkError(.overflow, "make 512 changes", errno: ENOBUFS)) {
        try kernel.apply(missing + [.addRoute(kept)])
      }
      #expect(try network.ownRoutes() == [kept])
      #expect(kernel.batchLimit == 256)
      #expect(kernel.statistics.overflows == 1)
      try network.make(.deleteRoute(kept))
      #expect(try network.ownRoutes().isEmpty)
      #expect(kernel.batchLimit == 512)
    }
  }

  @Test("without an answer in time the socket is opened anew, works, and its changes are still not told as events")
  func timeout() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      // Drops every answer.
      try kernel.writer.setFilter([sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0)])
      let port = kernel.writer.port
      let route = network.blackhole("10.1.0.0/26")
      #expect(throws: NetlinkError(.timeout, "make 1 changes")) { try kernel.apply([.addRoute(route)]) }
      #expect(kernel.writer.port != port)
      #expect(try network.ownRoutes() == [route])
      try network.make(.deleteRoute(route))
      #expect(try network.ownRoutes().isEmpty)
      #expect(try kernel.routeEvents().isEmpty)
    }
  }
}
