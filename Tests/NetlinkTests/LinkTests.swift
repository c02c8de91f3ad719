import Glibc
import IPAddressing
import Netlink
import TestSupport
import Testing

@Suite("Links", .serialized, NetworkNamespace.condition)
struct LinkTests {
  @Test("a VXLAN device is made as wanted, and listed with its settings", arguments: ["172.30.1.11", "fd30:1::11"])
  func vxlan(local: String) throws {
    try TestNetwork.run { network throws in
      let local = try #require(IPAddress(local) as IPAddress?)
      let link = try network.makeVXLAN(local: local, hardwareAddress: "66:93:7f:54:d5:53")
      #expect(link.kind == "vxlan")
      #expect(link.isUp)
      #expect(link.isRunning)
      #expect(link.mtu == 1430)
      #expect(link.hardwareAddress == "66:93:7f:54:d5:53")
      let hasChecksum = link.vxlan?.hasChecksum
      #expect(hasChecksum != nil)
      #expect(
        link.vxlan
          == VXLANSettings(
            identifier: 4096, port: 4789, local: local, lower: network.eth0, learns: false, hasChecksum: hasChecksum))
    }
  }

  @Test("R-29: address, MTU, hardware address, source, lower device and learning are changed in place")
  func change() throws {
    try TestNetwork.run { network throws in
      try NetworkNamespace.execute("ip address add 172.30.1.77/24 dev eth0")
      let before = try network.makeVXLAN()
      let peer = try network.link("peer").index
      try network.make(
        .changeLink(
          before.index,
          LinkChange(
            mtu: 1400, hardwareAddress: "66:00:00:00:00:01", vxlanLocal: "172.30.1.77", vxlanLower: peer,
            vxlanLearns: true)))
      let after = try network.link("vxlan.calico")
      #expect(after.index == before.index)
      #expect(after.isUp)
      #expect(after.mtu == 1400)
      #expect(after.hardwareAddress == "66:00:00:00:00:01")
      #expect(after.vxlan?.local == "172.30.1.77")
      #expect(after.vxlan?.lower == peer)
      #expect(after.vxlan?.learns == true)
      let changes: [KernelChange] = [
        .changeLink(before.index, LinkChange(mtu: 1 << 20, vxlanLearns: false)),
        .changeLink(before.index, LinkChange(mtu: 1300, vxlanLower: InterfaceIndex(4_000_000))),
      ]
      // Of a change that takes two messages, either one can be refused.
      for change in changes { #expect(try network.refusal(change) != nil) }
      #expect(try network.kernel.apply(changes).keys.sorted() == [0, 1])
      try network.make(.changeLink(before.index, LinkChange(isUp: false)))
      #expect(try !network.link("vxlan.calico").isUp)
      try network.make(.deleteLink(before.index))
      #expect(try !network.kernel.links().contains { $0.name == "vxlan.calico" })
      #expect(try network.refusal(.deleteLink(before.index))?.errno == ENODEV)
    }
  }

  @Test("the checksum of outer packets and metadata collection are set when asked for")
  func options() throws {
    try TestNetwork.run { network throws in
      var settings = VXLANSettings(identifier: 7, port: 4790, local: nil, lower: nil, hasChecksum: false)
      try network.make(.createLink(NewLink(name: "plain", kind: .vxlan(settings))))
      #expect(try network.link("plain").vxlan == settings)
      settings = VXLANSettings(identifier: 0, port: 4791, local: nil, lower: nil, collectsMetadata: true)
      try network.make(.createLink(NewLink(name: "metadata", kind: .vxlan(settings))))
      #expect(try network.link("metadata").vxlan?.collectsMetadata == true)
    }
  }

  @Test("a name or an identifier that is taken is refused")
  func taken() throws {
    try TestNetwork.run { network throws in
      _ = try network.makeVXLAN()
      let settings = VXLANSettings(identifier: 4096, port: 4789, local: "172.30.1.11", lower: network.eth0)
      #expect(
        try network.refusal(.createLink(NewLink(name: "vxlan.calico", kind: .vxlan(settings))))?.errno == EEXIST)
      #expect(
        try network.refusal(.createLink(NewLink(name: "other", kind: .vxlan(settings))))
          == KernelRefusal(errno: EEXIST, explanation: "A VXLAN device with the specified VNI already exists"))
      #expect(
        try network.refusal(.createLink(NewLink(name: "a-name-that-is-too-long", kind: .vxlan(settings)))) != nil)
    }
  }

  @Test("a device with its peer in this namespace names it, and one with the peer elsewhere names none")
  func lower() throws {
    try TestNetwork.run { network throws in
      let eth0 = try network.link("eth0")
      #expect(eth0.kind == "veth")
      let peer = try network.link("peer")
      #expect(eth0.lower == peer.index)
      let other = "netlink-lower-\(getpid())"
      try NetworkNamespace.execute("ip netns add \(other)")
      defer { #expect(throws: Never.self) { try NetworkNamespace.execute("ip netns delete \(other)") } }
      try NetworkNamespace.execute("ip link add near type veth peer name far netns \(other)")
      let near = try network.link("near")
      #expect(near.kind == "veth")
      #expect(near.lower == nil)
      #expect(try network.link("lo").kind == nil)
    }
  }

  @Test("the kernel either makes an IPIP device or says that it has none")
  func ipip() throws {
    try TestNetwork.run { network throws in
      let refusal = try network.refusal(.createLink(NewLink(name: "ipip7", kind: .ipip)))
      let hasFallback = try network.kernel.links().contains { $0.name == "tunl0" }
      switch refusal?.errno {
      case nil: #expect(try network.link("ipip7").kind == "ipip")
      // A tunnel between any two hosts is there already, as in every namespace once the module is loaded.
      case EEXIST: #expect(hasFallback)
      default: #expect(refusal?.errno == EOPNOTSUPP)
      }
    }
  }

  @Test("R-31: the checksum offload of a tunnel device is switched, and told whether that was a change")
  func checksumOffload() throws {
    try TestNetwork.run { network throws in
      _ = try network.makeVXLAN()
      let kernel = network.kernel
      #expect(try kernel.setTransmitChecksumOffload(false, interface: "vxlan.calico"))
      #expect(try !kernel.setTransmitChecksumOffload(false, interface: "vxlan.calico"))
      #expect(try kernel.setTransmitChecksumOffload(true, interface: "vxlan.calico"))
      for name in ["missing", "a-name-that-is-much-too-long"] {
        #expect(
          throws: NetlinkError(
            .refused(KernelRefusal(errno: ENODEV)), "switch the checksum offload of \(name)", errno: ENODEV)
        ) { try kernel.setTransmitChecksumOffload(false, interface: name) }
      }
    }
  }
}
