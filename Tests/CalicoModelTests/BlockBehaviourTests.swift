import CalicoModel
import IPAddressing
import Testing

/// The behaviours of sections 7.10 and 7.11 of the specification that concern a block in memory, by their numbers; those
/// of releases are in `BlockReleaseTests`.
@Suite("Behaviours of blocks")
struct BlockBehaviourTests {
  private func block() throws -> IPAMBlock { try IPAMBlock("100.64.0.0/24") }

  private func attribute(_ handleID: String, _ pod: String = "") -> AllocationAttribute {
    AllocationAttribute(handleID: handleID, owner: pod.isEmpty ? [:] : ["pod": pod])
  }

  @Test("66: a reservation of two and one leaves one address of four")
  func reservation() throws {
    let reservation = HostReservation(startOfBlock: 2, endOfBlock: 1, handleID: "windows", note: "reserved")
    var block = try IPAMBlock("10.0.0.0/30", reservation: reservation)
    #expect(block.freeCount() == 1)
    #expect(block.allocations == [0, 0, -1, 0])
    #expect(block.attributes == [AllocationAttribute(handleID: "windows", owner: ["note": "reserved"])])
    let taken = block.assign(1, attribute: attribute("tunnel"))
    #expect(taken.map { "\(block.address(at: $0))/\(block.cidr.prefixLength)" } == ["10.0.0.2/30"])
  }

  @Test("68: a block with nothing but the Windows handle is empty, and any other address makes it not")
  func emptiness() throws {
    var block = try block()
    #expect(block.isEmpty)
    #expect(block.inUse == [])
    for handle in ["windows-reserved-ipam-handle", "Windows-Reserved-IPAM-Handle"] {
      var reserved = block
      _ = reserved.assign(ordinal: 255, attribute: attribute(handle))
      #expect(reserved.isEmpty)
      #expect(reserved.inUse == ["100.64.0.255"])
    }
    for other in [attribute("windows"), AllocationAttribute(handleID: nil), AllocationAttribute(releasedAt: example)] {
      var used = block
      _ = used.assign(ordinal: 7, attribute: other)
      #expect(!used.isEmpty)
    }
    for ordinal in [3, 255, 0] { _ = block.assign(ordinal: ordinal, attribute: attribute("h")) }
    #expect(block.inUse == ["100.64.0.0", "100.64.0.3", "100.64.0.255"])
    #expect(block.isValid)
  }

  @Test("69: the free addresses are those that are neither given out nor reserved")
  func freeCounts() throws {
    var block = try block()
    for ordinal in [1, 200] { _ = block.assign(ordinal: ordinal, attribute: attribute("h")) }
    #expect(block.freeCount() == 254)
    for ordinal in [2, 201] { _ = block.assign(ordinal: ordinal, attribute: attribute("h")) }
    let half = ReservedAddresses([try network("100.64.0.0/25")])
    #expect(block.freeCount { half.contains($0) } == 126)
    let all = ReservedAddresses([try network("100.64.0.0/16")])
    #expect(block.freeCount { all.contains($0) } == 0)
    // What is reserved, given out or not.
    for (reserved, count) in [(ReservedAddresses(), 0), (half, 128), (all, 256)] {
      #expect((0..<256).count { reserved.contains(block.address(at: $0)) } == count)
    }
  }

  @Test("70: addresses of a handle are found in ordinal order, shared attribute or not")
  func ordinalsOfHandle() throws {
    var block = try block()
    #expect(block.ordinals(ofHandle: "h") == [])
    _ = block.assign(ordinal: 9, attribute: attribute("other"))
    #expect(block.ordinals(ofHandle: "h") == [])
    _ = block.assign(ordinal: 20, attribute: attribute("h"))
    #expect(block.ordinals(ofHandle: "h") == [20])
    _ = block.assign(ordinal: 10, attribute: attribute("h"))
    #expect(block.allocations[10] == block.allocations[20])
    #expect(block.ordinals(ofHandle: "h") == [10, 20])
    _ = block.assign(ordinal: 15, attribute: attribute("h", "pod-2"))
    #expect(block.allocations[15] != block.allocations[20])
    #expect(block.ordinals(ofHandle: "h") == [10, 15, 20])
    #expect(block.ordinals(ofHandle: "H") == [])
  }

  @Test("70: what an old migration appended to a handle does not count")
  func sanitizedHandles() throws {
    var block = try block()
    _ = block.assign(ordinal: 1, attribute: attribute("h\r\nleaf"))
    _ = block.assign(ordinal: 2, attribute: attribute("h"))
    #expect(block.ordinals(ofHandle: "h") == [1, 2])
    #expect(block.ordinals(ofHandle: "h\r\nleaf") == [])
    #expect(AllocationAttribute.sanitized("a\rb") == "a")
    #expect(AllocationAttribute.sanitized("\r") == "")
    #expect(AllocationAttribute.sanitized("a\nb") == "a\nb")
    let outcome = try block.release(
      [ReleaseOption(address("100.64.0.1"), handleID: "h")], time: example, cooldown: 0)
    #expect(outcome.countByHandle == ["h": 1])
  }

  @Test("73: collection without anything to do changes nothing, and drops attributes that nothing refers to")
  func collection() throws {
    var fresh = try block()
    #expect(fresh.collect(time: example, cooldown: 30) == false)
    _ = fresh.assign(2, attribute: attribute("h"))
    let before = fresh
    #expect(fresh.collect(time: example, cooldown: 30) == false)
    #expect(fresh == before)
    var spurious = try IPAMBlock(
      stored: "10.65.0.0/31", allocations: "[1,null]", unallocated: "[1]",
      attributes: #"[{"handle_id":"a"},{"handle_id":"b"},{"handle_id":"c"}]"#)
    #expect(spurious.collect(time: example, cooldown: 30) == true)
    #expect(spurious.attributes == [attribute("b")])
    #expect(spurious.allocations == [0, -1])
    #expect(spurious.isValid)
  }

  @Test("73: what was released long ago is freed, and what will be released is kept")
  func collectionByTime() throws {
    var block = try block()
    _ = block.assign(2, attribute: attribute("h"))
    for (ordinal, seconds) in [(2, -60), (3, -60), (4, 60), (5, 60)] as [(Int, Int64)] {
      let released = AllocationAttribute(releasedAt: example.advanced(bySeconds: seconds))
      _ = block.assign(ordinal: ordinal, attribute: released)
    }
    #expect(block.collect(time: example, cooldown: 30) == true)
    #expect(block.inUse == ["100.64.0.0", "100.64.0.1", "100.64.0.4", "100.64.0.5"])
    #expect(block.freeCount() == 252)
    #expect(block.unallocated.suffix(2) == [2, 3])
    #expect(block.isValid)
  }

  @Test("74: what is cold is freed, and the block at hand is a copy")
  func coldAddresses() throws {
    var block = try block()
    _ = block.assign(ordinal: 1, attribute: AllocationAttribute(releasedAt: example.advanced(bySeconds: -3600)))
    _ = block.assign(ordinal: 2, attribute: attribute("h"))
    let cached = block
    #expect(block.collect(time: example, cooldown: 100_000) == false)
    #expect(block == cached)
    #expect(block.collect(time: example, cooldown: 30) == true)
    #expect(block.inUse == ["100.64.0.2"])
    #expect(block.attributes == [attribute("h")])
    #expect(cached.inUse == ["100.64.0.1", "100.64.0.2"])
  }

  @Test("75: a block stays valid whatever is done to it", arguments: [nil, 1, 2] as [UInt64?])
  func validity(fixedSeed: UInt64?) throws {
    try BlockWalk(seed: fixedSeed ?? UInt64.random(in: 0...UInt64.max)).run()
  }
}
