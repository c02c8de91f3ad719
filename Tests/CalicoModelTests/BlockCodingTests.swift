import CalicoModel
import IPAddressing
import Testing

@Suite("Stored blocks")
struct BlockCodingTests {
  @Test("example A says who has what")
  func exampleA() throws {
    let entry = try #require(RecordedEntry.read("worked-examples").first { $0.path.hasSuffix("/10.65.0.0-26") })
    let block = try IPAMBlock(decoding: entry.bytes, expected: try network("10.65.0.0/26"))
    #expect(block.owner == BlockOwner(.host, "node-a"))
    #expect(block.affinityClaimTime == example.truncated)
    #expect(block.size == 64)
    #expect(block.inUse == ["10.65.0.0", "10.65.0.1"])
    #expect(block.unallocated.suffix(2) == [2, 3])
    #expect(block.sequenceNumber == 1_787_405_580_123_456_795)
    #expect(block.allocationNumbers[1] == 1_787_405_580_123_456_790)
    #expect(block.allocationNumbers[2] == nil)
    #expect(!block.isDeleted)
    let tunnel = try #require(block.attribute(at: 0))
    #expect(tunnel.handleID == "vxlan-tunnel-addr-node-a")
    #expect(tunnel.owner == ["node": "node-a", "type": "vxlanTunnelAddress"])
    #expect(tunnel.hasOwnerAttributes)
    #expect(block.attribute(at: 1)?.owner["timestamp"] == "2026-08-22 13:33:01.512345678 +0000 UTC")
  }

  @Test("unknown members of a block are kept behind the known ones")
  func unknownMembers() throws {
    let more = #","hostAffinity":"node-a","future":{"a":[1.50,-0,18446744073709551616]},"n\u00ef":null"#
    let block = try IPAMBlock(stored: "10.65.0.0/31", allocations: "[null,null]", unallocated: "[0,1]", more: more)
    #expect(
      block.text.hasSuffix(
        #""deleted":false,"hostAffinity":"node-a","future":{"a":[1.50,-0,18446744073709551616]},"nï":null}"#))
    var changed = block
    _ = changed.assign(1, attribute: AllocationAttribute(handleID: "h"))
    #expect(changed.text.contains(#""future":{"a":[1.50,-0,18446744073709551616]}"#))
    let text = #"{"x":1,"# + block.text.dropFirst()
    let first = try IPAMBlock(decoding: Array(text.utf8), expected: try network("10.65.0.0/31"))
    #expect(first.text.contains(#""x":1"#))
  }

  @Test("an attribute is written as it stood, unknown members and order included")
  func unknownAttributeMembers() throws {
    let attributes =
      #"[{"secondary":null,"handle_id":"h", "future" : {"b":1e2}},{"handle_id":null,"secondary":{"b":"2","a":"1"}},"#
      + #"{"releasedAt":"2026-08-22T15:33:00.5+02:00"},{"handle_id":""},{}]"#
    let block = try IPAMBlock(
      stored: "10.65.0.0/29", allocations: "[0,1,2,3,4,null,null,null]", unallocated: "[5,6,7]", attributes: attributes)
    #expect(block.text.contains(#""attributes":\#(attributes),"#))
    #expect(block.attribute(at: 0)?.hasUnknownMembers == true)
    #expect(block.attribute(at: 0)?.hasOwnerAttributes == false)
    #expect(block.attribute(at: 1)?.hasUnknownMembers == false)
    #expect(block.attribute(at: 1)?.handleID == nil)
    #expect(block.attribute(at: 1)?.owner == ["a": "1", "b": "2"])
    #expect(block.attribute(at: 2)?.releasedAt == Timestamp(nanoseconds: example.truncated.nanoseconds + 500_000_000))
    #expect(!block.isInUse(2))
    #expect(block.attribute(at: 3)?.handleID == "")
    #expect(block.attribute(at: 4)?.handleID == nil)
    #expect(block.isInUse(4))
    #expect(block.attribute(at: 5) == nil)
  }

  @Test("numbers of 64 bits are exact")
  func largeNumbers() throws {
    let block = try IPAMBlock(
      stored: "10.65.0.0/31", allocations: "[null,null]", unallocated: "[0,1]",
      numbers: #"{"0":18446744073709551615,"1":9007199254740993}"#)
    #expect(block.allocationNumbers[0] == .max)
    #expect(block.text.contains(#"{"0":18446744073709551615,"1":9007199254740993}"#))
  }

  @Test("sequence entries are written in the order of their texts, for every size", arguments: 20...32)
  func orderOfNumbers(prefixLength: Int) throws {
    var block = try IPAMBlock("10.64.0.0/\(prefixLength)")
    let size = block.size
    _ = block.assign(size, attribute: AllocationAttribute(handleID: "h"))
    let expected = (0..<size).map(String.init).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let entries = expected.map { "\"\($0)\":\(block.sequenceNumber)" }.joined(separator: ",")
    #expect(block.text.contains("\"sequenceNumberForAllocation\":{\(entries)}"))
    let again = try IPAMBlock(decoding: block.encoded(), expected: block.cidr)
    #expect(again == block)
  }

  @Test("an entry for no ordinal of the block is passed over")
  func strayNumbers() throws {
    let block = try IPAMBlock(
      stored: "10.65.0.0/31", allocations: "[null,null]", unallocated: "[0,1]",
      numbers: #"{"2":5,"1":7,"01":5,"-1":5,"":5,"x":5,"12345":5}"#)
    #expect(block.allocationNumbers[0] == nil)
    #expect(block.allocationNumbers[1] == 7)
    #expect(block.text.contains(#""sequenceNumberForAllocation":{"1":7}"#))
  }

  @Test("the members may come in any order")
  func orderOfMembers() throws {
    let text =
      #"{"sequenceNumberForAllocation":{"0":5},"deleted":true,"unallocated":[1],"attributes":[{}],"allocations":[0,null],"#
      + #""sequenceNumber":6,"affinity":null,"cidr":"10.65.0.0/31"}"#
    let block = try IPAMBlock(decoding: Array(text.utf8), expected: try network("10.65.0.0/31"))
    #expect(block.allocationNumbers[0] == 5)
    #expect(block.isDeleted)
    #expect(block.owner == nil)
    #expect(
      block.text
        == #"{"cidr":"10.65.0.0/31","affinity":null,"allocations":[0,null],"unallocated":[1],"attributes":[{}],"#
        + #""sequenceNumber":6,"sequenceNumberForAllocation":{"0":5},"deleted":true}"#)
  }

  // Section 1.12.
  @Test("forms of old releases are accepted, and null stays null until an address is assigned")
  func oldForms() throws {
    let text =
      #"{"cidr":"10.65.0.0/31","affinity":"host:node-a","strictAffinity":false,"allocations":[0,null],"unallocated":[1],"#
      + #""attributes":[{"handle_id":null,"secondary":null}]}"#
    var block = try IPAMBlock(decoding: Array(text.utf8), expected: try network("10.65.0.0/31"))
    #expect(block.sequenceNumber == 0)
    #expect(block.affinityClaimTime == nil)
    #expect(block.allocationNumbers[0] == nil)
    #expect(!block.isDeleted)
    #expect(block.text.contains(#""attributes":[{"handle_id":null,"secondary":null}]"#))
    #expect(block.text.contains(#""sequenceNumber":0,"sequenceNumberForAllocation":null,"deleted":false"#))
    #expect(block.text.hasSuffix(#","strictAffinity":false}"#))
    // A missing entry compares as 0.
    let option = ReleaseOption(try address("10.65.0.0"), sequenceNumber: 0)
    #expect(try block.release([option], time: example, cooldown: 0).released == [0])
    #expect(block.assign(1, attribute: AllocationAttribute(handleID: "h")) == [1])
    #expect(block.text.contains(#""sequenceNumberForAllocation":{"1":0}"#))
  }

  @Test("null stands for nothing wherever old writers left it")
  func nulls() throws {
    let text =
      #"{"cidr":"10.65.0.0/31","affinity":null,"affinity_claim_time":null,"allocations":[null,null],"unallocated":[0,1],"#
      + #""attributes":null,"sequenceNumber":null,"sequenceNumberForAllocation":null,"deleted":null}"#
    let block = try IPAMBlock(decoding: Array(text.utf8), expected: try network("10.65.0.0/31"))
    #expect(block.sequenceNumber == 0)
    #expect(block.attributes == nil)
    #expect(block.affinityClaimTime == nil)
  }

  // Section 8.3, D22.
  @Test(
    "a block that contradicts itself is refused",
    arguments: [
      ("10.65.0.0/31", "[1,null]", "[1]", "[{}]"), ("10.65.0.0/31", "[0,null]", "[1]", "null"),
      ("10.65.0.0/31", "[0,null]", "[1]", "[]"), ("10.65.0.0/31", "[-1,null]", "[1]", "[{}]"),
      ("10.65.0.0/31", "[-2,null]", "[1]", "[{}]"), ("10.65.0.0/31", "[null]", "[0]", "null"),
      ("10.65.0.0/31", "[null,null,null]", "[0,1,2]", "null"), ("10.65.0.0/31", "[]", "[]", "null"),
      ("10.65.0.0/31", "null", "null", "null"), ("10.65.0.0/31", "[null,null]", "[0,0]", "null"),
      ("10.65.0.0/31", "[null,null]", "[0,2]", "null"), ("10.65.0.0/31", "[null,null]", "[0,-1]", "null"),
      ("10.65.0.0/31", "[null,null]", "[0,null]", "null"), ("10.65.0.0/31", "[0,null]", "[0,1]", "[{}]"),
      ("10.0.0.0/19", "[]", "[]", "null"), ("fd00::/64", "[]", "[]", "null"), ("::/0", "[]", "[]", "null"),
    ])
  func corrupt(cidr: String, allocations: String, unallocated: String, attributes: String) throws {
    let error = #expect(throws: ModelError.self) {
      try IPAMBlock(stored: cidr, allocations: allocations, unallocated: unallocated, attributes: attributes)
    }
    #expect(error?.code == .corrupt)
    #expect(error?.description.isEmpty == false)
  }

  @Test("what a change leaves no worse is no reason to refuse a block")
  func tolerated() throws {
    // An attribute without reference, an entry of a free ordinal, and an ordinal that is neither free nor given out.
    let block = try IPAMBlock(
      stored: "10.65.0.0/31", allocations: "[null,null]", unallocated: "[1]", attributes: "[{}]", numbers: #"{"1":4}"#)
    #expect(block.freeCount() == 1)
  }

  @Test(
    "a text that is no block is malformed",
    arguments: [
      "", "{", "[]", "null", "{}x", #"{"allocations":1}"#, #"{"allocations":["0"]}"#, #"{"allocations":[0.5]}"#,
      #"{"allocations":[2147483648]}"#, #"{"unallocated":{}}"#, #"{"attributes":{}}"#, #"{"attributes":[null]}"#,
      #"{"attributes":[{"handle_id":1}]}"#, #"{"attributes":[{"secondary":{"a":1}}]}"#, #"{"sequenceNumber":-1}"#,
      #"{"sequenceNumber":18446744073709551616}"#, #"{"sequenceNumber":1.0}"#, #"{"affinity":1}"#,
      #"{"sequenceNumberForAllocation":[]}"#, #"{"sequenceNumberForAllocation":{"0":null}}"#, #"{"deleted":"true"}"#,
      #"{"x":tru}"#, #"{"cidr":7}"#,
    ])
  func malformed(text: String) throws {
    let cidr = try network("10.65.0.0/31")
    let error = #expect(throws: ModelError.self) { try IPAMBlock(decoding: Array(text.utf8), expected: cidr) }
    #expect(error?.code == .malformed)
  }
}
