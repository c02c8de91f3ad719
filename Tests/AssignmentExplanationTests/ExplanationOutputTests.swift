import CalicoEngine
import CalicoModel
import IPAddressing
import JSON
import Testing

@testable import AssignmentExplanation

@Suite("An explanation in print")
struct ExplanationOutputTests {
  private let world = World()

  init() async throws {
    world.node("node-a", #""zone":"a""#)
    world.node("node-b")
    world.pool("default", "10.65.0.0/28", blockSize: 30)
    world.pool("old", "10.66.0.0/16", blockSize: 26, #","disabled":true"#)
    world.pool("zone-b", "10.67.0.0/16", blockSize: 26, #","nodeSelector":"zone == 'b'""#)
    for (block, node) in [("10.65.0.0/30", "node-a"), ("10.65.0.4/30", "node-b")] as [(CIDR, String)] {
      _ = try await world.run(ClaimAffinity(block, for: BlockOwner(.host, node), time: world.now))
    }
    for address in ["10.65.0.0", "10.65.0.1"] as [IPAddress] {
      try await world.take(address, handle: "a", host: "node-a")
    }
  }

  @Test("for people: the answer first, then where it comes from, then everything that was looked at")
  func success() async throws {
    let explanation = try await world.explain("node-a")
    #expect(
      explanation.text == """
        A new pod on node node-a would get 10.65.0.2.
          10.65.0.2 is from block 10.65.0.0/30 of pool default, which is affine to node-a: 2 of 4 free, 2 in use

        Asked for:
          IPv4, from any pool that fits

        Pools:
          POOL     CIDR          VERDICT
          default  10.65.0.0/28  can be used
          old      10.66.0.0/16  passed over: it is disabled
          zone-b   10.67.0.0/16  passed over: its nodeSelector is zone == 'b', and node node-a has zone=a

        Blocks:
          BLOCK         OWNER   ADDRESSES              VERDICT
          10.65.0.0/30  node-a  2 of 4 free, 2 in use  gives 10.65.0.2

        Nothing was taken and nothing was written.

        """)
  }

  @Test("for people: a refusal with what would help")
  func refusal() async throws {
    world.configuration.strictAffinity = true
    world.configuration.maxBlocksPerHost = 1
    try await world.take("10.65.0.2", handle: "a", host: "node-a")
    try await world.take("10.65.0.3", handle: "a", host: "node-a")
    let explanation = try await world.explain("node-a")
    #expect(
      explanation.text == """
        A new pod on node node-a would get no address: cannot allocate new block due to per host block limit

        What would help:
          - raise maxBlocksPerHost, which is 1
              ipamctl ipam configure --max-blocks-per-host=2
          - release what containers left behind, if they did
              ipamctl ipam check --show-problem-ips
          - create a further pool besides default
              ipamctl create -f POOL.yaml
          - enable pool old
              ipamctl patch ippool old -p '{"spec":{"disabled":false}}'
          - label node node-a so that zone == 'b' holds, or change nodeSelector of pool zone-b
              ipamctl label node node-a KEY=VALUE

        Asked for:
          IPv4, from any pool that fits

        Pools:
          POOL     CIDR          VERDICT
          default  10.65.0.0/28  can be used
          old      10.66.0.0/16  passed over: it is disabled
          zone-b   10.67.0.0/16  passed over: its nodeSelector is zone == 'b', and node node-a has zone=a

        Blocks:
          BLOCK         OWNER   ADDRESSES              VERDICT
          10.65.0.0/30  node-a  0 of 4 free, 4 in use  affine to node-a, has no room
          node-a has 1 IPv4 blocks in these pools, which is all it may have

        Nothing was taken and nothing was written.

        """)
  }

  @Test("many blocks of others are counted, not listed")
  func manyBlocks() async throws {
    world.pool("default", "10.65.0.0/24", blockSize: 30)
    world.configuration.strictAffinity = true
    world.configuration.maxBlocksPerHost = 0
    _ = try await world.run(ClaimAffinity("10.65.0.128/25", for: BlockOwner(.host, "node-b"), time: world.now))
    _ = try await world.run(ClaimAffinity("10.65.0.0/25", for: BlockOwner(.host, "node-b"), time: world.now))
    let explanation = try await world.explain("node-b") { $0.pools = ["default"] }
    #expect(explanation.isAssigned)
    world.node("node-c")
    let stranger = try await world.explain("node-c")
    #expect(stranger.blocks.count == 64)
    #expect(stranger.text.components(of: "of another owner") == 9)
    #expect(stranger.text.contains("more of other owners, with "))
  }

  @Test("for programs: every member is there, whatever the answer is")
  func document() async throws {
    let members = [
      "node", "namespace", "pod", "network", "time", "outcome", "addresses", "refusal", "remedies", "asked", "pools",
      "blocks", "limits", "writes", "notes",
    ]
    let success = try #require(try await world.explain("node-a").document.objectValue)
    #expect(success.members.map(\.key) == members)
    #expect(success["outcome"]?.stringValue == "assigned")
    let address = try #require(success["addresses"]?.arrayValue?.first?.objectValue)
    #expect(address["address"]?.stringValue == "10.65.0.2/30")
    #expect(address["source"]?.stringValue == "own")
    let block = try #require(success["blocks"]?.arrayValue?.first?.objectValue)
    #expect(block["free"]?.numberValue?.int64 == 2)
    #expect(block["verdicts"]?.arrayValue?.compactMap(\.stringValue) == ["own"])
    let pools = success["pools"]?.arrayValue?.compactMap(\.objectValue) ?? []
    #expect(
      pools.map { "\($0["pool"]?.stringValue ?? "") \($0["reason"]?.objectValue?["code"]?.stringValue ?? "-")" }
        == ["old disabled", "zone-b nodeSelector", "default -"])
    let writes = success["writes"]?.arrayValue?.compactMap(\.objectValue?["kind"]?.stringValue)
    #expect(writes == ["IPAMBlock", "IPAMHandle"])

    world.configuration.cooldownSeconds = 60
    try await world.release(handle: "a")
    let refused = try #require(
      try await world.explain("node-a") { $0.addresses = ["10.65.0.0"] }.document.objectValue)
    #expect(refused.members.map(\.key) == members)
    #expect(refused["outcome"]?.stringValue == "refused")
    #expect(refused["refusal"]?.objectValue?["message"]?.stringValue?.contains("already assigned") == true)
    let limit = try #require(refused["limits"]?.arrayValue?.first?.objectValue)
    #expect(limit["code"]?.stringValue == "addressIsTaken")
    #expect(limit["releasedAt"]?.stringValue == "2026-08-14T09:12:33Z")
  }

  @Test("names of others cannot play tricks on a terminal")
  func hostileNames() async throws {
    world.put(
      #"{"metadata":{"name":"e"},"spec":{"cidr":"10.9.0.0/24","blockSize":26,"nodeSelector":"zone == '\u001b[2J'"}}"#,
      .resource(.ipPool, "e\u{1b}[31m"))
    let text = try await world.explain("node-a").text
    #expect(!text.contains("\u{1b}"))
    #expect(text.contains(#"e\x1b[31m"#))
  }
}

extension String {
  /// How often a text stands in this one.
  fileprivate func components(of text: String) -> Int {
    split(separator: text, omittingEmptySubsequences: false).count - 1
  }
}
