import CalicoModel
import Datastore
import IPAddressing
import Testing

// What comes back is what was written.

extension DatastoreContract {
  static let textRules = [
    Rule("a number of 64 bits comes back as it was", largeNumbers),
    Rule("a value comes back byte for byte, unknown members included", needsAnyText: true, unknownMembers),
    Rule("a resource comes back byte for byte, however it is written", needsAnyText: true, oddResources),
    Rule("the largest block comes back whole", largestBlock),
  ]

  private static func largeNumbers(_ store: ContractStore) async throws {
    let cidr = try #require(CIDR("10.65.0.0/29"))
    var block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "node1"), time: Timestamp(nanoseconds: 0))
    // The greatest number that a Kubernetes schema takes.
    block.sequenceNumber = UInt64(Int64.max)
    _ = block.assign(2, attribute: AllocationAttribute(handleID: "c1"))
    try await store.create(.block(cidr), .block(block))
    let read = try #require(try await store.entry(.block(cidr))).block(cidr)
    #expect(read.sequenceNumber == UInt64(Int64.max))
    #expect(read.allocationNumbers[1] == UInt64(Int64.max))
    #expect(read == block)
  }

  private static func unknownMembers(_ store: ContractStore) async throws {
    let cidr = try #require(CIDR("10.65.0.0/31"))
    let text =
      #"{"cidr":"10.65.0.0/31","affinity":null,"allocations":[0,null],"unallocated":[1],"attributes":[{"handle_id":"c1","#
      + #""future":{"a":[1.50,-0,1e400]}}],"sequenceNumber":18446744073709551615,"sequenceNumberForAllocation":"#
      + #"{"0":18446744073709551614},"deleted":false,"hostAffinity":"node-\u003cü 漢\u003e","x":12345678901234567890123}"#
    let block = try IPAMBlock(decoding: Array(text.utf8), expected: cidr)
    let value = Value.block(block)
    try await store.create(.block(cidr), value)
    let stored = try #require(try await store.entry(.block(cidr)))
    #expect(stored.bytes == value.encoded())
    #expect(String(decoding: stored.bytes, as: UTF8.self).contains("12345678901234567890123"))
    let listed = try await store.list(Listing(.blocks(.v4)))
    #expect(listed.items.first?.stored?.bytes == value.encoded())
  }

  private static func oddResources(_ store: ContractStore) async throws {
    let texts = [
      "{}", " {\n\t\"spec\" : { } }\n", #"{"a":"\u0000\u2028","a":"<>&"}"#, "{\"a\":\"ü漢😀\u{2028}\"}",
      "{\"long\":\"" + String(repeating: "x", count: 100_000) + "\"}",
    ]
    for (index, text) in texts.enumerated() {
      let key = Key.resource(.ipReservation, "r\(index)")
      try await store.create(key, .resource(Array(text.utf8)))
      #expect(try await store.entry(key)?.bytes == Array(text.utf8))
    }
  }

  private static func largestBlock(_ store: ContractStore) async throws {
    let cidr = try #require(CIDR("10.64.0.0/20"))
    var block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "node1"), time: Timestamp(seconds: 1_787_405_580))
    for index in 0..<1000 {
      let owner = ["pod": "web-\(index)", "namespace": "default", "node": "node1"]
      _ = block.assign(1, attribute: AllocationAttribute(handleID: "k8s-pod-network.c\(index)", owner: owner))
      block.sequenceNumber += 1
    }
    let revision = try await store.create(.block(cidr), .block(block))
    #expect(try await store.entry(.block(cidr))?.block(cidr) == block)
    _ = block.assign(1, attribute: AllocationAttribute(handleID: "k8s-pod-network.last"))
    try await store.apply(.block(cidr), base: .revision(revision), .value(.block(block)))
    #expect(try await store.entry(.block(cidr))?.block(cidr) == block)
  }
}
