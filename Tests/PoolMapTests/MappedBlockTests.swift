import CalicoModel
import IPAddressing
import Testing

@testable import PoolMap

@Suite("A mapped block")
struct MappedBlockTests {
  private let nothing = AddressSet()

  @Test("says of each address what it is in, and who has it")
  func uses() throws {
    let stored = try Example.block("10.65.0.8/29", "node-1", pods: 2, borrowedBy: ["node-2"], cooling: 1)
    let block = MappedBlock(stored, reserved: try Example.addresses(["10.65.0.14/31"]))
    #expect(block.uses == [.used, .used, .borrowed, .cooling, .free, .free, .reserved, .reserved])
    #expect(block.holder(at: 1) == AddressHolder(node: "node-1", name: "default/web-7d9f8b6c5-1"))
    #expect(block.holder(at: 2) == AddressHolder(node: "node-2", name: "default/api-0"))
    #expect(block.holder(at: 3) == nil)
    #expect(block.owner == "node-1")
    #expect(block.counts.total == 8)
    #expect(block.counts.inUse == 3)
  }

  @Test("that a node holds and has nothing in use of is affine, but for what is reserved")
  func affine() throws {
    let block = MappedBlock(
      try Example.block("10.65.0.8/30", "node-1"), reserved: try Example.addresses(["10.65.0.8/32"]))
    #expect(block.uses == [.reserved, .affine, .affine, .affine])
    #expect(block.counts.summary == .affine)
  }

  @Test("is not affine as long as an address of it cools down")
  func coolingOnly() throws {
    let block = MappedBlock(try Example.block("10.65.0.8/30", "node-1", cooling: 1), reserved: nothing)
    #expect(block.uses == [.cooling, .free, .free, .free])
    #expect(block.counts.summary == .cooling)
  }

  @Test("of nobody has only borrowed addresses where a node is recorded")
  func nobodys() throws {
    let block = MappedBlock(try Example.block("10.65.0.8/30", nil, borrowedBy: ["node-1", nil]), reserved: nothing)
    #expect(block.uses == [.borrowed, .used, .free, .free])
    #expect(block.owner == nil)
  }

  @Test("of the load balancer is held by it, and its services' addresses are used")
  func loadBalancer() throws {
    var stored = IPAMBlock(cidr: try Example.cidr("10.65.0.8/30"), owner: .loadBalancer, time: Example.time)
    let service = AllocationAttribute(handleID: "lb-x", owner: ["service": "web", "namespace": "shop"])
    #expect(stored.assign(1, attribute: service) == [0])
    let block = MappedBlock(stored, reserved: nothing)
    #expect(block.uses[0] == .used)
    #expect(block.owner == "load-balancer")
    #expect(block.holder(at: 0)?.name == "service shop/web")
  }

  @Test("counts what a Windows host keeps for itself as reserved")
  func windows() throws {
    let reservation = HostReservation(
      startOfBlock: 3, endOfBlock: 1, handleID: "windows-reserved-ipam-handle", note: "windows host rsvd")
    let stored = IPAMBlock(
      cidr: try Example.cidr("10.65.0.8/29"), owner: BlockOwner(.host, "win"), time: Example.time,
      reservation: reservation)
    let block = MappedBlock(stored, reserved: nothing)
    #expect(block.uses == [.reserved, .reserved, .reserved, .affine, .affine, .affine, .affine, .reserved])
  }

  @Test("that cannot be read, or does not exist yet, is known as such")
  func others() throws {
    let cidr = try Example.cidr("10.65.0.8/30")
    #expect(MappedBlock(unreadable: cidr).counts[.unreadable] == 4)
    let claimed = MappedBlock(claimed: cidr, by: BlockOwner(.host, "node-1"), reserved: nothing)
    #expect(claimed.counts[.affine] == 4)
    #expect(MapWording.label(claimed) == "10.65.0.8/30, claimed by node-1, not made yet: empty, 4 free")
    #expect(MappedBlock(absent: cidr, reserved: nothing).counts[.free] == 4)
  }

  @Test(
    "names holders by what is recorded of them",
    arguments: [
      (["pod": "web-0", "namespace": "default"], "default/web-0"), (["pod": "web-0"], "web-0"),
      (["vmi-name": "vm", "pod": "launcher", "namespace": "lab"], "virtual machine lab/vm"),
      (["type": "vxlanTunnelAddress", "node": "n"], "VXLAN tunnel"), (["type": "other"], "other"),
      (["note": "by hand"], "by hand"), ([:], "handle h1"), (["pod": ""], "handle h1"),
    ])
  func holders(_ owner: [String: String], _ name: String) {
    #expect(AddressHolder(AllocationAttribute(handleID: "h1\rappended", owner: owner)).name == name)
  }

  @Test("without a handle and attributes is held by nobody that is known")
  func anonymous() {
    #expect(AddressHolder(AllocationAttribute(handleID: nil)) == AddressHolder(node: nil, name: nil))
  }
}
