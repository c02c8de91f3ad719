import CNetlink
import Glibc
import IPAddressing
import TestSupport
import Testing

@testable import Netlink

@Suite("Listings", .serialized, NetworkNamespace.condition)
struct ListingTests {
  @Test("R-10, R-27: strangers' routes are not listed, whether the kernel filters or not", arguments: [true, false])
  func foreignRoutes(isStrict: Bool) throws {
    try TestNetwork.run(checksStrictly: isStrict) { network throws in
      #expect(network.kernel.isStrict == isStrict)
      try NetworkNamespace.execute(
        """
        ip route add 10.9.0.0/26 via 172.30.1.9 proto bird
        ip route add 10.9.1.0/26 via 172.30.1.9 proto 84 table 99
        ip -6 route add fd99::/122 via fd30:1::9 proto bird
        """)
      let own = [network.direct("10.65.2.0/26", via: "172.30.1.12"), network.direct("fd65:2::/122", via: "fd30:1::12")]
      #expect(try network.kernel.apply(own.map { .addRoute($0) }).isEmpty)
      let dumps = network.kernel.statistics.dumps
      #expect(try network.kernel.routes(.v4, table: 254, origin: .agent) == [own[0]])
      #expect(try network.kernel.routes(.v6, table: 254, origin: .agent) == [own[1]])
      let all = try network.kernel.routes(.v4, table: 254, origin: nil)
      #expect(Set(all.map(\.key.destination)) == ["10.9.0.0/26", "10.65.2.0/26", "172.30.1.0/24"])
      #expect(try network.kernel.routes(.v4, table: 99, origin: nil).map(\.key.destination) == ["10.9.1.0/26"])
      #expect(network.kernel.statistics.dumps == dumps + 4)
    }
  }

  @Test("a table that does not exist has no routes", arguments: [true, false])
  func missingTable(isStrict: Bool) throws {
    try TestNetwork.run(checksStrictly: isStrict) { network throws in
      for family in [AddressFamily.v4, .v6] {
        #expect(try network.kernel.routes(family, table: 4711, origin: nil).isEmpty)
        #expect(try network.kernel.routes(family, table: 77, origin: .agent).isEmpty)
      }
    }
  }

  @Test("neighbours and forwarding entries are listed by interface, strictly or not", arguments: [true, false])
  func neighbours(isStrict: Bool) throws {
    try TestNetwork.run(checksStrictly: isStrict) { network throws in
      let v4 = try network.makeVXLAN()
      let v6 = try network.makeVXLAN("vxlan-v6.calico", local: "fd30:1::11")
      let hardwareAddress: HardwareAddress = "66:93:7f:54:d5:53"
      let neighbour = Neighbour(interface: v4.index, address: "10.65.3.0", hardwareAddress: hardwareAddress)
      let neighbourV6 = Neighbour(interface: v6.index, address: "fd65:3::", hardwareAddress: hardwareAddress)
      var entry = ForwardingEntry(interface: v4.index, hardwareAddress: hardwareAddress, destination: "172.30.2.13")
      let entryV6 = ForwardingEntry(interface: v6.index, hardwareAddress: hardwareAddress, destination: "fd30:2::13")
      let elsewhere = Neighbour(interface: network.eth0, address: "172.30.1.99", hardwareAddress: hardwareAddress)
      try network.make(
        .replaceNeighbour(neighbour), .replaceNeighbour(neighbourV6), .replaceNeighbour(elsewhere),
        .replaceForwarding(entry), .replaceForwarding(entryV6))
      let kernel = network.kernel
      #expect(try kernel.neighbours(.v4, of: v4.index) == [neighbour])
      #expect(try kernel.neighbours(.v6, of: v6.index).filter(\.isPermanent) == [neighbourV6])
      #expect(try kernel.forwarding(of: v4.index) == [entry])
      #expect(try kernel.forwarding(of: v6.index) == [entryV6])
      // In place: one entry, elsewhere.
      entry.destination = "172.30.2.14"
      try network.make(.replaceForwarding(entry))
      #expect(try kernel.forwarding(of: v4.index) == [entry])
      try network.make(
        .deleteNeighbour(neighbour), .deleteNeighbour(neighbourV6), .deleteForwarding(entry),
        .deleteForwarding(entryV6))
      #expect(try kernel.neighbours(.v4, of: v4.index).filter(\.isPermanent).isEmpty)
      #expect(try kernel.neighbours(.v6, of: v6.index).filter(\.isPermanent).isEmpty)
      #expect(try kernel.forwarding(of: v4.index).isEmpty)
      #expect(try network.refusal(.deleteNeighbour(neighbour))?.errno == ENOENT)
    }
  }

  @Test("an error at the end of a listing is an error, and the socket goes on working")
  func errorAtEnd() throws {
    try TestNetwork.run { network throws in
      let missing = KernelQuestion.routes(.v4, table: 4711, origin: nil)
      let refusal = KernelRefusal(errno: ENOENT, explanation: "ipv4: FIB table does not exist")
      #expect(throws: NetlinkError(.refused(refusal), "list", errno: ENOENT)) {
        try network.kernel.list(missing, RTM_NEWROUTE, "list") { _ -> Route? in nil }
      }
      #expect(try !network.kernel.links().isEmpty)
    }
  }

  @Test("R-20: a listing that changed under way is repeated, five times at the most")
  func interrupted() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      let stranger = try NetlinkKernel(timeout: 1)
      func address(_ number: Int) -> InterfaceAddress {
        InterfaceAddress(
          interface: network.eth0, address: IPAddress(v4: 0x0A41_0000 + UInt32(number)), prefixLength: 32)
      }
      // More than the kernel sends at once, so that there is time between the parts.
      let count = 1500
      #expect(try kernel.apply((0..<count).map { .addAddress(address($0)) }).isEmpty)
      var added = 0
      /// Lists the addresses, and adds another one in the middle of the first so many attempts.
      func list(disturbances: Int) throws -> Set<InterfaceAddress> {
        let dumps = kernel.statistics.dumps
        var attempt = 0
        return Set(
          try kernel.list(.addresses, RTM_NEWADDR, "list") { message throws(MalformedMessage) in
            // The first entry of each attempt.
            if kernel.statistics.dumps - dumps > attempt {
              attempt += 1
              if attempt <= disturbances {
                added += 1
                #expect(throws: Never.self) { try stranger.apply([.addAddress(address(count + added))]) }
              }
            }
            return try InterfaceAddress(message: message)
          })
      }
      let dumps = kernel.statistics.dumps
      #expect(try list(disturbances: 5).isSuperset(of: (0..<count).map(address)))
      #expect(kernel.statistics.dumps == dumps + 6)
      #expect(throws: NetlinkError(.interrupted, "list")) { _ = try list(disturbances: .max) }
      #expect(kernel.statistics.dumps == dumps + 12)
    }
  }

  @Test("an interface that is not there has no neighbours and no forwarding entries", arguments: [true, false])
  func missingInterface(isStrict: Bool) throws {
    try TestNetwork.run(checksStrictly: isStrict) { network throws in
      let missing = InterfaceIndex(4_000_000)
      _ = try network.makeVXLAN()
      #expect(try network.kernel.forwarding(of: missing).isEmpty)
      #expect(try network.kernel.neighbours(.v4, of: missing).isEmpty)
    }
  }

  @Test("addresses are listed with their scope, and an added one is usable at once until deleted")
  func addresses() throws {
    try TestNetwork.run { network throws in
      let v4 = InterfaceAddress(interface: network.eth0, address: "10.65.1.0", prefixLength: 32)
      let v6 = InterfaceAddress(interface: network.eth0, address: "fd65:1::", prefixLength: 128)
      try network.make(.addAddress(v4), .addAddress(v6), .addAddress(v4))
      let listed = try network.kernel.addresses()
      #expect(listed.contains(v4))
      #expect(listed.contains(v6))
      #expect(listed.contains(InterfaceAddress(interface: network.eth0, address: "172.30.1.11", prefixLength: 24)))
      #expect(
        listed.contains(
          InterfaceAddress(interface: InterfaceIndex(1), address: "127.0.0.1", prefixLength: 8, scope: 254)))
      let text = try NetworkNamespace.output("ip -6 address show dev eth0 to fd65:1::/128")
      #expect(!text.contains("tentative"))
      try network.make(.deleteAddress(v4), .deleteAddress(v6))
      let left = try network.kernel.addresses()
      #expect(!left.contains(v4) && !left.contains(v6))
      #expect(try network.refusal(.deleteAddress(v4))?.errno == EADDRNOTAVAIL)
    }
  }

  @Test("a look-up tells the way, this machine itself, or why there is none")
  func lookUp() throws {
    try TestNetwork.run { network throws in
      let kernel = network.kernel
      try network.make(
        .addRoute(network.direct("10.65.2.0/26", via: "172.30.1.12")), .addRoute(network.blackhole("10.65.1.0/26")),
        .addRoute(network.direct("fd65:2::/122", via: "fd30:1::12")), .addRoute(network.blackhole("fd65:1::/122")))
      try NetworkNamespace.execute("ip route add unreachable 10.65.3.0/26\nip route add prohibit 10.65.4.0/26")
      let eth0 = network.eth0
      #expect(try kernel.lookUp("172.30.1.12") == .hop(RouteHop(interface: eth0)))
      #expect(try kernel.lookUp("fd30:1::12") == .hop(RouteHop(interface: eth0)))
      for (address, gateway) in [("10.65.2.9", "172.30.1.12"), ("fd65:2::9", "fd30:1::12")] as [(IPAddress, IPAddress)]
      {
        guard case .hop(let hop) = try kernel.lookUp(address) else {
          Issue.record("no way to \(address)")
          continue
        }
        #expect(hop.gateway == gateway)
        #expect(hop.interface == eth0)
      }
      #expect(try kernel.lookUp("172.30.1.11") == .local)
      #expect(try kernel.lookUp("fd30:1::11") == .local)
      #expect(try kernel.lookUp("10.65.1.9") == .unreachable(errno: EINVAL))
      #expect(try kernel.lookUp("10.65.3.9") == .unreachable(errno: EHOSTUNREACH))
      #expect(try kernel.lookUp("10.65.4.9") == .unreachable(errno: EACCES))
      #expect(try kernel.lookUp("192.0.2.1") == .unreachable(errno: ENETUNREACH))
      #expect(try kernel.lookUp("2001:db8::1") == .unreachable(errno: ENETUNREACH))
      #expect(try kernel.lookUp("fd65:1::9") == .unreachable(errno: EINVAL))
    }
  }
}
