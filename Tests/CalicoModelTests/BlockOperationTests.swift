import CalicoModel
import IPAddressing
import Testing

// Specification sections 2.1 to 2.7 and 2.11.

@Suite("Blocks")
struct BlockOperationTests {
  private let attribute = AllocationAttribute(handleID: "h", owner: ["pod": "web"])

  @Test("a new block is that of example C, numbered by the time in nanoseconds")
  func creation() throws {
    let block = try IPAMBlock("10.65.0.8/29")
    let expected = try RecordedEntry.read("worked-examples").first { $0.path.hasSuffix("/10.65.0.8-29") }
    #expect(block.text == expected?.text)
    #expect(block.isValid)
    #expect(block.isEmpty)
  }

  @Test("a new block of a Windows host is that of example E")
  func windowsReservation() throws {
    let reservation = HostReservation(
      startOfBlock: 3, endOfBlock: 1, handleID: AllocationAttribute.windowsReservedHandle, note: "windows host rsvd")
    let owner = BlockOwner(.host, "win-1")
    let block = IPAMBlock(
      cidr: try network("10.65.2.0/29"), owner: owner, time: example.truncated.advanced(bySeconds: 0),
      reservation: reservation)
    let expected = try RecordedEntry.read("worked-examples").first { $0.path.hasSuffix("/10.65.2.0-29") }
    let number = "\"sequenceNumber\":\(block.sequenceNumber)"
    #expect(block.text == expected?.text.replacing("\"sequenceNumber\":1787405580123456789", with: number))
    #expect(block.isEmpty)
    #expect(block.freeCount() == 4)
  }

  @Test("a reservation that is larger than the block leaves nothing, and one of nothing everything")
  func extremeReservations() throws {
    for (start, end, free) in [(3, 1, 0), (9, 9, 0), (0, 0, 4), (0, 4, 0), (4, 0, 0), (1, 0, 3)] {
      let reservation = HostReservation(startOfBlock: start, endOfBlock: end, handleID: "r", note: "n")
      var block = try IPAMBlock("10.65.2.0/30", reservation: reservation)
      #expect(block.isValid)
      #expect(block.freeCount() == free)
      #expect(block.attributes?.count == 1)
      // The attribute is there even when nothing refers to it, until the first collection.
      #expect(block.collect(time: example, cooldown: 0) == (free == 4))
    }
  }

  @Test("ordinals are offsets from the network, ends included")
  func geometry() throws {
    let block = try IPAMBlock("fd00:10:65::40/122")
    #expect(block.size == 64)
    #expect(try block.ordinal(of: address("fd00:10:65::40")) == 0)
    #expect(try block.ordinal(of: address("fd00:10:65::7f")) == 63)
    #expect(try block.ordinal(of: address("fd00:10:65::80")) == nil)
    #expect(try block.ordinal(of: address("fd00:10:65::3f")) == nil)
    #expect(try block.ordinal(of: address("10.65.0.0")) == nil)
    #expect(block.address(at: 63).description == "fd00:10:65::7f")
    #expect(try IPAMBlock("255.255.255.255/32").address(at: 0).description == "255.255.255.255")
    #expect(try IPAMBlock.cidr(containing: address("10.65.0.77"), prefixLength: 26) == network("10.65.0.64/26"))
    #expect(try IPAMBlock.cidr(containing: address("10.65.0.77"), prefixLength: 33) == nil)
  }

  @Test("addresses are given out from the head of the queue, and come back to its tail in ascending order")
  func queue() throws {
    var block = try IPAMBlock("10.65.0.0/29")
    #expect(block.assign(3, attribute: attribute) == [0, 1, 2])
    _ = try block.release(
      [ReleaseOption(address("10.65.0.2")), ReleaseOption(address("10.65.0.0"))], time: example, cooldown: 0)
    #expect(block.unallocated == [3, 4, 5, 6, 7, 0, 2])
    #expect(block.assign(6, attribute: attribute) == [3, 4, 5, 6, 7, 0])
    #expect(block.assign(5, attribute: attribute) == [2])
    #expect(block.assign(1, attribute: attribute).isEmpty)
    #expect(block.assign(0, attribute: attribute).isEmpty)
    #expect(block.isValid)
  }

  @Test("an address that is passed over keeps its place")
  func reservedAddresses() throws {
    var block = try IPAMBlock("10.65.0.0/29")
    let reserved: Set<String> = ["10.65.0.0", "10.65.0.3"]
    let isReserved = { (address: IPAddress) in reserved.contains(address.description) }
    #expect(block.assign(3, attribute: attribute, excluding: isReserved) == [1, 2, 4])
    #expect(block.unallocated == [0, 3, 5, 6, 7])
    #expect(block.assign(9, attribute: attribute, excluding: isReserved) == [5, 6, 7])
    #expect(block.unallocated == [0, 3])
    let before = block
    #expect(block.assign(1, attribute: attribute, excluding: isReserved).isEmpty)
    #expect(block == before)
  }

  @Test("one address is taken from wherever it is in the queue, once")
  func oneAddress() throws {
    var block = try IPAMBlock("10.65.0.0/29")
    #expect(block.assign(ordinal: 5, attribute: attribute) == true)
    #expect(block.unallocated == [0, 1, 2, 3, 4, 6, 7])
    #expect(block.allocationNumbers[5] == block.sequenceNumber)
    let before = block
    #expect(block.assign(ordinal: 5, attribute: attribute) == false)
    #expect(block == before)
    block.release([5], time: example, cooldown: 60, renumbers: true)
    #expect(block.assign(ordinal: 5, attribute: attribute) == false, "it cools down")
    #expect(block.isValid)
  }

  @Test("an assignment is numbered with the block's number before it is counted up")
  func sequenceNumbers() throws {
    var block = try IPAMBlock("10.65.0.0/29")
    let first = block.sequenceNumber
    _ = block.assign(2, attribute: attribute)
    block.sequenceNumber += 1
    _ = block.assign(1, attribute: attribute)
    block.sequenceNumber += 1
    #expect((0...3).map { block.allocationNumbers[$0] } == [first, first, first + 1, nil])
    // By address the entry becomes the block's number, by handle it stays.
    block.release([0], time: example, cooldown: 60, renumbers: true)
    block.release([1], time: example, cooldown: 60, renumbers: false)
    #expect((0...2).map { block.allocationNumbers[$0] } == [first + 2, first, first + 1])
    #expect(block.collect(time: example.advanced(bySeconds: 62), cooldown: 60) == true)
    #expect((0...2).map { block.allocationNumbers[$0] } == [nil, nil, first + 1])
  }

  @Test("equal owners share an attribute, and unequal ones do not")
  func sharing() throws {
    var block = try IPAMBlock("10.65.0.0/28")
    _ = block.assign(2, attribute: AllocationAttribute(handleID: "h"))
    _ = block.assign(1, attribute: AllocationAttribute(handleID: nil))
    _ = block.assign(1, attribute: AllocationAttribute(handleID: ""))
    _ = block.assign(1, attribute: AllocationAttribute(handleID: "h", owner: ["a": "1"]))
    _ = block.assign(1, attribute: AllocationAttribute(handleID: "h", alternateOwner: ["a": "1"]))
    _ = block.assign(1, attribute: AllocationAttribute(handleID: "h", owner: [:]))
    _ = block.assign(ordinal: 9, attribute: AllocationAttribute(handleID: nil))
    #expect(block.allocations.prefix(10) == [0, 0, 1, 2, 3, 4, 0, -1, -1, 1])
    #expect(block.attributes?.count == 5)
  }

  @Test("an attribute is shared however it is written, unless it has unknown members")
  func sharingOfStored() throws {
    let attributes = #"[{"handle_id":"x","future":1},{"secondary":{"b":"2", "a":"1"},"handle_id":"x"}]"#
    var block = try IPAMBlock(
      stored: "10.65.0.0/29", allocations: "[0,1,null,null,null,null,null,null]", unallocated: "[2,3,4,5,6,7]",
      attributes: attributes)
    #expect(block.assign(1, attribute: AllocationAttribute(handleID: "x", owner: ["a": "1", "b": "2"])) == [2])
    #expect(block.allocations[2] == 1)
    #expect(block.attribute(at: 0) != AllocationAttribute(handleID: "x"))
    #expect(block.assign(1, attribute: AllocationAttribute(handleID: "x")) == [3])
    #expect(block.allocations[3] == 2)
    #expect(
      block.text.contains(
        #"[{"handle_id":"x","future":1},{"secondary":{"b":"2", "a":"1"},"handle_id":"x"},{"handle_id":"x"}]"#))
  }

  @Test("an attribute with a time that is none is not shared, and stays as it is")
  func oddReleaseTimes() throws {
    var block = try IPAMBlock(
      stored: "10.65.0.0/30", allocations: "[0,1,null,null]", unallocated: "[2,3]",
      attributes: #"[{"releasedAt":"yesterday"},{"releasedAt":null}]"#)
    #expect(block.isInUse(0))
    #expect(block.collect(time: example, cooldown: 0) == false)
    _ = block.assign(1, attribute: AllocationAttribute(handleID: nil))
    #expect(block.allocations == [0, 1, 1, -1])
    #expect(block.text.contains(#"[{"releasedAt":"yesterday"},{"releasedAt":null}]"#))
  }

  @Test("without cooldown an address is free at once, and its attribute is gone")
  func releaseWithoutCooldown() throws {
    var block = try IPAMBlock("10.65.0.0/29")
    _ = block.assign(2, attribute: attribute)
    block.release([0, 1], time: example, cooldown: 0, renumbers: true)
    #expect(block.attributes?.isEmpty == true)
    #expect(block.unallocated == [2, 3, 4, 5, 6, 7, 0, 1])
    #expect(block.isEmpty)
    // Even against a clock that went backwards.
    _ = block.assign(1, attribute: attribute)
    block.release([2], time: example, cooldown: 60, renumbers: true)
    #expect(block.collect(time: example.advanced(bySeconds: -100), cooldown: 0) == true)
    #expect(block.isEmpty)
  }

  @Test("an address cools down for the time of the cooldown, and is in nobody's use meanwhile")
  func cooldown() throws {
    var block = try IPAMBlock("10.65.0.0/30")
    _ = block.assign(2, attribute: attribute)
    block.release([1], time: example, cooldown: 30, renumbers: true)
    #expect(block.attribute(at: 1)?.releasedAt == example.truncated)
    #expect(block.text.contains(#"{"releasedAt":"2026-08-22T13:33:00Z"}"#))
    #expect(!block.isInUse(1))
    #expect(!block.isEmpty)
    #expect(block.freeCount() == 2)
    #expect(try IPAMBlock(decoding: block.encoded(), expected: block.cidr) == block)
    let released = example.truncated
    #expect(block.collect(time: released.advanced(bySeconds: 30), cooldown: 30) == false)
    #expect(
      block.collect(time: Timestamp(nanoseconds: released.advanced(bySeconds: 30).nanoseconds + 1), cooldown: 30)
        == true)
    #expect(block.unallocated == [2, 3, 1])
    #expect(block.attributes?.count == 1)
    #expect(block.isValid)
  }

  @Test("a cooldown from a damaged configuration does no harm", arguments: [Int.min, -1, Int.max])
  func oddCooldowns(cooldown: Int) throws {
    var block = try IPAMBlock("10.65.0.0/30")
    _ = block.assign(1, attribute: attribute)
    block.release([0], time: example, cooldown: cooldown, renumbers: true)
    #expect(block.isEmpty == (cooldown < 0))
    #expect(block.isValid)
  }

  @Test("the owner of one address is replaced, and not that of others that shared it")
  func setAttribute() throws {
    var block = try IPAMBlock("10.65.0.0/30")
    _ = block.assign(2, attribute: attribute)
    let swapped = AllocationAttribute(handleID: "h", owner: ["pod": "b"], alternateOwner: ["pod": "a"])
    block.setAttribute(swapped, at: 1)
    #expect(block.attribute(at: 0) == attribute)
    #expect(block.attribute(at: 1) == swapped)
    #expect(block.attribute(at: 1)?.alternateOwner == ["pod": "a"])
    block.setAttribute(attribute, at: 1)
    #expect(block.allocations == [0, 1, -1, -1])
    let before = block
    block.setAttribute(swapped, at: 2)
    #expect(block == before, "a free ordinal has no owner")
    #expect(block.isValid)
  }

  @Test("strict affinity admits only the owner")
  func strictAffinity() throws {
    var block = try IPAMBlock("10.65.0.0/30")
    let (own, other) = (BlockOwner(.host, "node-a"), BlockOwner(.virtual, "node-a"))
    #expect(block.admits(own, strictly: true))
    #expect(!block.admits(other, strictly: true))
    #expect(block.admits(other, strictly: false))
    block.affinity = nil
    #expect(!block.admits(own, strictly: true))
    #expect(block.admits(own, strictly: false))
  }
}
