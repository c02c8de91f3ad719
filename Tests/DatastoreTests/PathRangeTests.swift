import CalicoModel
import Datastore
import IPAddressing
import Testing

@Suite("Ranges of paths")
struct PathRangeTests {
  @Test("a listing lies between its prefix and the first path behind all that begin so")
  func bounds() {
    let range = PathRange(Listing(.handles))
    #expect(range.lower == "/calico/ipam/v2/handle/")
    #expect(range.upper == "/calico/ipam/v2/handle0")
  }

  @Test("a listing that goes on begins behind the last key, and elsewhere not at all")
  func continuation() {
    #expect(PathRange(Listing(.handles, after: .handle("m"))).lower == "/calico/ipam/v2/handle/m")
    // A key that lies before the range cuts nothing off.
    #expect(PathRange(Listing(.handles, after: .configuration)).lower == "/calico/ipam/v2/handle/")
  }

  @Test("only keys that are meant are found in a range, and only in the spelling that we write")
  func keys() throws {
    let cidr = try #require(CIDR("10.0.0.0/26"))
    let range = PathRange(Listing(.affinities(BlockOwner(.host, "a"), .v4)))
    let affinity = KeyPath.path(of: .affinity(BlockOwner(.host, "a"), cidr))
    #expect(range.key(of: affinity) == .affinity(BlockOwner(.host, "a"), cidr))
    #expect(range.key(of: KeyPath.path(of: .host("a"))) == nil)
    #expect(range.key(of: KeyPath.path(of: .handle("a"))) == nil)
    #expect(PathRange.key(of: "/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26") == .block(cidr))
    #expect(PathRange.key(of: "/calico/ipam/v2/assignment/ipv4/block/10.0.0.1-26") == nil)
  }

  @Test("a path that is no UTF-8 names nothing")
  func notText() {
    let path = Array("/calico/ipam/v2/handle/".utf8)
    let range = PathRange(Listing(.handles))
    #expect(range.key(of: path + [0x61]) == .handle("a"))
    #expect(range.key(of: path + [0xFF]) == nil)
  }

  @Test("every kind but the configuration has its ranges, and the kinds are told in an order in which nothing dangles")
  func kinds() {
    #expect(PathRange.all(of: .configuration).isEmpty)
    #expect(PathRange.all(of: .blocks).map(\.lower) == ["/calico/ipam/v2/assignment/"])
    #expect(PathRange.all(of: .affinities).map(\.lower) == ["/calico/ipam/v2/host/", "/calico/ipam/v2/virtual/"])
    let interest = WatchInterest([.handles, .blocks, .resources(.ipPool), .configuration])
    #expect(interest.orderedKinds == [.configuration, .resources(.ipPool), .blocks, .handles])
  }
}
