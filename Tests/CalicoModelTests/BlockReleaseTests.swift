import CalicoModel
import IPAddressing
import Testing

/// The behaviours 71 and 72 of section 7.11 of the specification.
@Suite("Behaviours of releases")
struct BlockReleaseTests {
  private func block() throws -> IPAMBlock { try IPAMBlock("100.64.0.0/24") }

  private func attribute(_ handleID: String, _ pod: String = "") -> AllocationAttribute {
    AllocationAttribute(handleID: handleID, owner: pod.isEmpty ? [:] : ["pod": pod])
  }

  @Test("71: one, some or all addresses of a handle are released, and counted")
  func releases() throws {
    var block = try block()
    for ordinal in 1...3 { _ = block.assign(ordinal: ordinal, attribute: attribute("h")) }
    var one = try self.block()
    _ = one.assign(ordinal: 1, attribute: attribute("h"))
    let addresses = try (1...3).map { ReleaseOption(try address("100.64.0.\($0)"), handleID: "h") }
    #expect(try one.release([addresses[0]], time: example, cooldown: 0).countByHandle == ["h": 1])
    #expect(one.isEmpty)
    var some = block
    let outcome = try some.release([addresses[1]], time: example, cooldown: 0)
    #expect(outcome.countByHandle == ["h": 1])
    #expect(outcome.released == [2])
    #expect(some.inUse == ["100.64.0.1", "100.64.0.3"])
    #expect(some.attributes?.count == 1)
    #expect(try block.release(addresses, time: example, cooldown: 0).countByHandle == ["h": 3])
    #expect(block.isEmpty)
    #expect(one.isValid && some.isValid && block.isValid)
  }

  @Test("71: a free address is reported, and nothing is counted")
  func releaseOfFree() throws {
    var block = try block()
    let before = block
    let option = ReleaseOption(try address("100.64.0.5"))
    let outcome = try block.release([option], time: example, cooldown: 0)
    #expect(outcome.unallocated == [option.address])
    #expect(outcome.countByHandle.isEmpty)
    #expect(block == before)
    // One that cools down is free in this sense.
    _ = block.assign(ordinal: 5, attribute: attribute("h"))
    block.release([5], time: example, cooldown: 60, renumbers: true)
    #expect(try block.release([option], time: example, cooldown: 60).unallocated == [option.address])
    let nothing = try block.release([], time: example, cooldown: 60)
    #expect(nothing.unallocated.isEmpty && nothing.released.isEmpty && nothing.countByHandle.isEmpty)
  }

  @Test("71: another handle or another number refuses the whole release")
  func releaseConflicts() throws {
    var block = try block()
    block.sequenceNumber = 10
    for ordinal in 1...2 { _ = block.assign(ordinal: ordinal, attribute: attribute("h")) }
    let before = block
    let (first, second) = (try address("100.64.0.1"), try address("100.64.0.2"))
    func conflict(_ options: ReleaseOption...) -> ReleaseConflict? {
      do throws(ReleaseConflict) {
        _ = try block.release(options, time: example, cooldown: 0)
        return nil
      } catch {
        return error
      }
    }
    #expect(
      conflict(ReleaseOption(first), ReleaseOption(second, handleID: "x"))
        == .handle(second, requested: "x", expected: "h"))
    #expect(
      conflict(ReleaseOption(second, sequenceNumber: 999), ReleaseOption(first))
        == .sequenceNumber(second, requested: 999, expected: 10))
    // The number is tested first, and of a free address as well.
    #expect(
      conflict(ReleaseOption(first, handleID: "x", sequenceNumber: 999))
        == .sequenceNumber(first, requested: 999, expected: 10))
    let free = try address("100.64.0.9")
    #expect(conflict(ReleaseOption(free, sequenceNumber: 1)) == .sequenceNumber(free, requested: 1, expected: 0))
    #expect(conflict(ReleaseOption(free, handleID: "x", sequenceNumber: 0)) == nil)
    // Of several conflicts that of the lowest address counts, and of several options for one address the last.
    #expect(
      conflict(ReleaseOption(second, handleID: "x"), ReleaseOption(first, handleID: "y"))
        == .handle(first, requested: "y", expected: "h"))
    let outside = try address("100.64.1.0")
    #expect(conflict(ReleaseOption(outside)) == .outsideBlock(outside))
    #expect(block == before)
    #expect(
      conflict(ReleaseOption(first, handleID: "x"), ReleaseOption(first, handleID: "h", sequenceNumber: 10)) == nil)
    #expect(block.inUse == ["100.64.0.2"])
    #expect(block.isValid)
  }

  @Test("71: an address without a handle is released by the empty one, and not counted")
  func releaseWithoutHandle() throws {
    var block = try block()
    _ = block.assign(ordinal: 1, attribute: AllocationAttribute(handleID: nil))
    let option = ReleaseOption(try address("100.64.0.1"), handleID: "x")
    #expect(throws: ReleaseConflict.self) { try block.release([option], time: example, cooldown: 0) }
    let outcome = try block.release([ReleaseOption(option.address)], time: example, cooldown: 0)
    #expect(outcome.released == [1])
    #expect(outcome.countByHandle.isEmpty)
  }

  @Test("72: what a handle has is released to the tail, with separate attributes or a shared one")
  func releaseByHandle() throws {
    for pods in [["a", "b", "c"], ["a", "a", "a"]] {
      var block = try block()
      for (ordinal, pod) in zip([15, 16, 18], pods) {
        _ = block.assign(ordinal: ordinal, attribute: attribute("h", pod))
      }
      _ = block.assign(ordinal: 17, attribute: attribute("other"))
      #expect(block.ordinals(ofHandle: "unknown").isEmpty)
      block.release(block.ordinals(ofHandle: "h"), time: example, cooldown: 0, renumbers: false)
      #expect(block.inUse == ["100.64.0.17"])
      #expect(block.unallocated.suffix(3) == [15, 16, 18])
      #expect(block.attributes?.count == 1)
      #expect(block.allocations[17] == 0)
      #expect(block.isValid)
    }
  }

  @Test("72: with a number only what was given out with it is released")
  func releaseByHandleAndNumber() throws {
    var block = try block()
    for (ordinal, number) in [(15, 10), (16, 10), (17, 999), (18, 10)] as [(Int, UInt64)] {
      block.sequenceNumber = number
      _ = block.assign(ordinal: ordinal, attribute: attribute("h"))
    }
    let matching = block.ordinals(ofHandle: "h").filter { block.allocationNumbers[$0] == 10 }
    block.release(matching, time: example, cooldown: 0, renumbers: false)
    #expect(block.inUse == ["100.64.0.17"])
    #expect(block.allocationNumbers[15] == nil)
    #expect(block.allocationNumbers[17] == 999)
    #expect(block.isValid)
  }
}
