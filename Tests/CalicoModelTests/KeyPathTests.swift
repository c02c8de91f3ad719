import CalicoModel
import IPAddressing
import Testing

@Suite("Paths of entries")
struct KeyPathTests {
  private static let root = "/calico/ipam/v2/"
  private static let resources = "/calico/resources/v3/projectcalico.org/"

  /// Every path of sections 1.4 to 1.11, with its key.
  private static func examples() throws -> [(path: String, key: Key)] {
    let nodeA = BlockOwner(.host, "node-a")
    return [
      (root + "assignment/ipv4/block/10.65.0.0-26", .block(try network("10.65.0.0/26"))),
      (root + "assignment/ipv6/block/fd00:10:65::40-122", .block(try network("fd00:10:65::40/122"))),
      (root + "assignment/ipv6/block/fe80:ba:ad:beef::-122", .block(try network("fe80:ba:ad:beef::/122"))),
      (root + "assignment/ipv6/block/fd80:24e2:f998:72d6::40-122", .block(try network("fd80:24e2:f998:72d6::40/122"))),
      (root + "assignment/ipv4/block/10.65.1.8-29", .block(try network("10.65.1.8/29"))),
      (root + "host/node-a/ipv4/block/10.65.0.0-26", .affinity(nodeA, try network("10.65.0.0/26"))),
      (root + "host/node-a/ipv6/block/fd00:10:65::40-122", .affinity(nodeA, try network("fd00:10:65::40/122"))),
      (
        root + "virtual/load-balancer/ipv4/block/10.70.0.0-26", .affinity(.loadBalancer, try network("10.70.0.0/26"))
      ),
      (root + "handle/k8s-pod-network.vmi.vms.vm1", .handle("k8s-pod-network.vmi.vms.vm1")),
      (root + "handle/Net1.ABC", .handle("Net1.ABC")),
      (root + "config", .configuration),
      (root + "host/node-a", .host("node-a")),
      (resources + "ippools/default-ipv4", .resource(.ipPool, "default-ipv4")),
      (resources + "ipreservations/infra", .resource(.ipReservation, "infra")),
      (resources + "ipamconfigurations/default", .resource(.ipamConfiguration, "default")),
      (resources + "nodes/node1", .resource(.node, "node1")),
      (resources + "clusterinformations/default", .resource(.clusterInformation, "default")),
      (resources + "tiers/default", .resource(.tier, "default")),
      (resources + "blockaffinities/x", .resource(.blockAffinity, "x")),
    ]
  }

  @Test("a key has its path, and the path its key")
  func bothDirections() throws {
    for (path, key) in try Self.examples() {
      #expect(KeyPath.path(of: key) == path)
      #expect(KeyPath.key(of: path) == key, "\(path)")
    }
  }

  @Test("what all paths of a range begin with ends at a slash")
  func prefixes() {
    let owner = BlockOwner(.host, "node-a")
    #expect(KeyPath.blocks(.v4) == "/calico/ipam/v2/assignment/ipv4/block/")
    #expect(KeyPath.blocks(.v6) == "/calico/ipam/v2/assignment/ipv6/block/")
    #expect(KeyPath.blocks(nil) == "/calico/ipam/v2/assignment/")
    #expect(KeyPath.affinities(.host) == "/calico/ipam/v2/host/")
    #expect(KeyPath.affinities(.virtual) == "/calico/ipam/v2/virtual/")
    #expect(KeyPath.affinities(of: owner, nil) == "/calico/ipam/v2/host/node-a/")
    #expect(KeyPath.affinities(of: owner, .v4) == "/calico/ipam/v2/host/node-a/ipv4/block/")
    #expect(KeyPath.affinities(of: .loadBalancer, .v6) == "/calico/ipam/v2/virtual/load-balancer/ipv6/block/")
    #expect(KeyPath.handles == "/calico/ipam/v2/handle/")
    #expect(KeyPath.resources(.ipPool) == "/calico/resources/v3/projectcalico.org/ippools/")
  }

  @Test("the historic spelling of a host is read")
  func historicHost() throws {
    let key = KeyPath.key(of: Self.root + "@/node-a/ipv4/block/10.65.0.0-26")
    #expect(key == .affinity(BlockOwner(.host, "node-a"), try network("10.65.0.0/26")))
  }

  @Test("a handle may have any characters but a slash")
  func oddHandles() {
    for name in ["a b", "\u{301}combining", "a%2Fb", "ü", "😀", "..", "-", "\r\n", "a\u{0}b"] {
      #expect(KeyPath.key(of: KeyPath.path(of: .handle(name))) == .handle(name), "\(name)")
    }
    #expect(KeyPath.path(of: .handle("a/b")) == Self.root + "handle/a/b")
    #expect(KeyPath.key(of: Self.root + "handle/a/b") == nil)
    // As a character, a slash with a combining mark is none.
    #expect(KeyPath.key(of: Self.root + "handle/a/\u{301}b") == nil)
  }

  @Test(
    "a path that is none of these has no key",
    arguments: [
      "", "/", "/calico", "/calico/ipam/v2", "/calico/ipam/v2/", "/calico/ipam/v2/config/", "/calico/ipam/v2/other",
      "/calico/ipam/v1/config", "calico/ipam/v2/config", "/calico/ipam/v2/handle/", "/calico/ipam/v2/handle",
      "/calico/ipam/v2/host/", "/calico/ipam/v2/host/a/ipv4", "/calico/ipam/v2/host/a/ipv4/block/",
      "/calico/ipam/v2/host//ipv4/block/10.65.0.0-26", "/calico/ipam/v2/other/a/ipv4/block/10.65.0.0-26",
      "/calico/ipam/v2/assignment/ipv4/block/", "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0",
      "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-33", "/calico/ipam/v2/assignment/ipv4/block/x-26",
      "/calico/ipam/v2/assignment/ipv5/block/10.65.0.0-26", "/calico/ipam/v2/assignment/ipv4/x/10.65.0.0-26",
      "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26/x", "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0/26",
      "/calico/resources/v3/projectcalico.org/others/x", "/calico/resources/v3/projectcalico.org/ippools/",
      "/calico/resources/v3/projectcalico.org/ippools", "/calico/resources/v3/elsewhere/ippools/x",
      "/calico/resources/v3/projectcalico.org/ippools/a/b", "/calico/v1/config", "//calico/ipam/v2/config",
    ])
  func noKey(path: String) {
    #expect(KeyPath.key(of: path) == nil)
  }

  @Test(
    "an entry under a path that is not its key's has no key",
    arguments: [
      "/calico/ipam/v2/assignment/ipv4/block/fd00::-122", "/calico/ipam/v2/assignment/ipv6/block/10.65.0.0-26",
      "/calico/ipam/v2/assignment/ipv4/block/10.65.0.1-26", "/calico/ipam/v2/assignment/ipv6/block/FD00::-122",
      "/calico/ipam/v2/assignment/ipv6/block/fd00:0::-122", "/calico/ipam/v2/host/a/ipv6/block/10.65.0.0-26",
      "/calico/ipam/v2/host/a/ipv4/block/10.65.0.1-26",
    ])
  func otherSpellings(path: String) {
    #expect(KeyPath.key(of: path) == nil)
  }

  @Test("a key is described as upstream's errors name it")
  func descriptions() throws {
    let cidr = try network("10.65.0.0/26")
    #expect("\(Key.block(cidr))" == "BlockKey(cidr=10.65.0.0/26)")
    #expect(
      "\(Key.affinity(.loadBalancer, cidr))"
        == "BlockAffinityKey(cidr=10.65.0.0/26, host=load-balancer, affinityType=virtual)")
    #expect("\(Key.handle("h"))" == "IPAMHandleKey(id=h)")
    #expect("\(Key.configuration)" == "IPAMConfigKey()")
    #expect("\(Key.host("n"))" == "IPAMHostKey(host=n)")
    #expect("\(Key.resource(.ipPool, "p"))" == "IPPool(p)")
  }
}

@Suite("Owners of blocks")
struct BlockOwnerTests {
  @Test("an owner is read from its text, and written again")
  func texts() {
    #expect(BlockOwner("host:node-a") == BlockOwner(.host, "node-a"))
    #expect(BlockOwner("virtual:load-balancer") == .loadBalancer)
    #expect(BlockOwner("host:a:b") == BlockOwner(.host, "a:b"))
    #expect(BlockOwner("host:") == BlockOwner(.host, ""))
    #expect(BlockOwner(.host, "node-a").description == "host:node-a")
    #expect(BlockOwner.loadBalancer.description == "virtual:load-balancer")
    for text in ["", "node-a", "Host:a", "other:a", "host", " host:a"] { #expect(BlockOwner(text) == nil) }
  }
}
