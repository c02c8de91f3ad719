import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl get of blocks, affinities and handles")
final class AllocationObjectTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func get(_ arguments: String...) async throws -> Transcript {
    try await GetCommand.asyncParse(arguments).execute(fixture.session)
  }

  private func fill() async throws {
    try await fixture.pool("pods", "10.65.0.0/24", blockSize: 30)
    try await fixture.block("10.65.0.0/30", "host:node-1", [.pod(0, "net.c1", node: "node-1"), .cooling(2)])
    try await fixture.block("10.65.0.4/30", nil)
    try await fixture.block("fd00::/126", "virtual:load-balancer")
    let state = #"{"state":"confirmed","deleted":false}"#
    try await fixture.put(.affinity(BlockOwner(.host, "node-1"), try #require(CIDR("10.65.0.0/30"))), state)
    try await fixture.put(
      .affinity(.loadBalancer, try #require(CIDR("fd00::/126"))), #"{"state":"pending","deleted":false}"#)
    try await fixture.handle("Net.C1", ["10.65.0.0/30": 1, "fd00::/126": 2])
  }

  @Test("are told in tables")
  func tables() async throws {
    try await fill()
    #expect(
      try await get("ipamblocks").output == """
        NAME           CIDR           AFFINITY                
        10-65-0-0-30   10.65.0.0/30   host:node-1             
        10-65-0-4-30   10.65.0.4/30   <none>                  
        fd00---126     fd00::/126     virtual:load-balancer   


        """)
    #expect(
      try await get("block", "10.65.0.0/30", "-o", "wide").output == """
        NAME           CIDR           AFFINITY      TOTAL   INUSE   FREE   CLAIMED   SEQUENCENUMBER   
        10-65-0-0-30   10.65.0.0/30   host:node-1   4       2       2                1000             


        """)
    #expect(
      try await get("affinities", "-owide").output == """
        NAME                       NODE            CIDR           STATE       TYPE      DELETED   
        node-1-10-65-0-0-30        node-1          10.65.0.0/30   confirmed   host      false     
        load-balancer-fd00---126   load-balancer   fd00::/126     pending     virtual   false     


        """)
    #expect(
      try await get("ipamhandles", "-o", "wide").output == """
        NAME     IPS   BLOCKS                    
        Net.C1   3     10.65.0.0/30,fd00::/126   


        """)
    #expect(
      try await get("block", "-o", "custom-columns=FREE,CIDR").output == """
        FREE   CIDR           
        2      10.65.0.0/30   
        4      10.65.0.4/30   
        4      fd00::/126     


        """)
  }

  @Test("are found by network, by the name of the object, and by identifier")
  func names() async throws {
    try await fill()
    let block = try await get("ipamblock", "10.65.0.0/30", "-o", "json").output
    #expect(try await get("ipamblock", "10-65-0-0-30", "-o", "json").output == block)
    #expect(try await get("blockaffinity", "node-1-10-65-0-0-30").output.contains("confirmed"))
    #expect(try await get("handle", "Net.C1").output.contains("Net.C1   3"))
    #expect(
      try await get("ipamblocks", "-o", "name").output
        == "ipamblock/10-65-0-0-30\nipamblock/10-65-0-4-30\nipamblock/fd00---126\n")
    #expect(try await get("ipamblock/10-65-0-0-30", "-o", "json").output == block)
  }

  @Test("are the documents that Kubernetes has")
  func documents() async throws {
    try await fill()
    let handle = try await get("handle", "Net.C1", "-o", "yaml", "--export").output
    #expect(
      handle == """
        apiVersion: projectcalico.org/v3
        kind: IPAMHandle
        metadata:
          name: Net.C1
        spec:
          block:
            10.65.0.0/30: 1
            fd00::/126: 2
          deleted: false
          handleID: Net.C1

        """)
    #expect(
      try await get("affinity", "node-1-10-65-0-0-30", "-o", "yaml", "--export").output == """
        apiVersion: projectcalico.org/v3
        kind: BlockAffinity
        metadata:
          name: node-1-10-65-0-0-30
        spec:
          cidr: 10.65.0.0/30
          deleted: false
          node: node-1
          state: confirmed
          type: host

        """)
    let block = try JSON(parsing: Array(try await get("block", "10-65-0-0-30", "-ojson", "--export").output.utf8))
    #expect(block.objectValue?["kind"] == "IPAMBlock")
    let members = block.objectValue?["spec"]?.objectValue
    #expect(
      members?.members.map(\.key) == [
        "cidr", "affinity", "allocations", "unallocated", "attributes", "sequenceNumber", "sequenceNumberForAllocation",
        "deleted",
      ])
    #expect(members?["allocations"] == [0, nil, 1, nil])
    let list = try JSON(parsing: Array(try await get("blocks", "-ojson").output.utf8)).objectValue
    #expect(list?["kind"] == "IPAMBlockList")
    #expect(list?["items"]?.arrayValue?.count == 3)
  }

  @Test("the claim time is spelled as there, and what is unknown is kept")
  func members() async throws {
    let key = Key.block(try #require(CIDR("10.65.0.0/31")))
    try await fixture.put(
      key,
      #"{"cidr":"10.65.0.0/31","affinity":"host:n","affinity_claim_time":"2026-08-22T13:33:00Z","hostAffinity":"n","#
        + #""allocations":[null,null],"unallocated":[0,1],"attributes":null,"newer":7,"deleted":false}"#)
    let block = try JSON(parsing: Array(try await get("block", "10.65.0.0/31", "-ojson").output.utf8))
    let members = block.objectValue?["spec"]?.objectValue
    #expect(members?["affinityClaimTime"] == "2026-08-22T13:33:00Z")
    #expect(members?["newer"] == 7)
    for key in ["affinity_claim_time", "hostAffinity", "attributes"] { #expect(members?[key] == nil) }
  }

  @Test("that are not there, or cannot be understood, are errors beside the others")
  func failures() async throws {
    try await fill()
    #expect(
      try await get("block", "10.9.9.0/30")
        == .failed("resource does not exist: IPAMBlock(10.9.9.0/30) with error: <nil>"))
    #expect(
      try await get("block", "pods")
        == .failed(
          "resource does not exist: IPAMBlock(pods) with error: <nil>\n"
            + "a block is named by its network, such as 10.65.0.0/26 or 10-65-0-0-26"))
    #expect(
      try await get("handle", "net.c9").errors == "resource does not exist: IPAMHandle(net.c9) with error: <nil>\n")
    #expect(
      try await get("affinity", "x").errors == "resource does not exist: BlockAffinity(x) with error: <nil>\n")
    try await fixture.put(.block(try #require(CIDR("10.65.0.8/30"))), "[1]")
    let all = try await get("blocks")
    #expect(all.output.contains("fd00---126"))
    #expect(all.errors == "BlockKey(cidr=10.65.0.8/30) cannot be understood: not an object\n")
    #expect(all.status == 1)
  }

  @Test("more than a page of them are all told")
  func pages() async throws {
    for number in 0..<300 { try await fixture.handle("h\(number)", ["10.65.0.0/30": 1]) }
    #expect(try await get("handles", "-o", "name").output.split(separator: "\n").count == 300)
  }
}
