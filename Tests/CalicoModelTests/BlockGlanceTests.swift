import CalicoModel
import IPAddressing
import Testing

@Suite("A glance at a block")
struct BlockGlanceTests {
  private func block(of affinity: String?, _ users: [String?]) throws -> (CIDR, [UInt8]) {
    let cidr = try #require(CIDR("10.65.0.0/29"))
    var block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "n1"), time: Timestamp(seconds: 1_787_405_580))
    block.affinity = affinity
    for (ordinal, user) in users.enumerated() {
      var owner = ["pod": "p"]
      owner["node"] = user
      let isFree = block.assign(ordinal: ordinal, attribute: AllocationAttribute(handleID: "h\(ordinal)", owner: owner))
      #expect(isFree)
    }
    return (cidr, block.encoded())
  }

  @Test(
    "the sole node is found where it is certain",
    arguments: [
      ("host:n1", [], "n1"), ("host:n1", ["n1", nil, "n1"], "n1"), ("host:n1", ["n1", "n2"], nil),
      ("host:n1", ["n12"], nil), ("host:n12", ["n1"], nil), ("virtual:n1", [], nil), (nil, ["n1"], nil),
      ("host:", [], nil), ("host:n1", ["deleted"], nil), ("host:n1", ["n\"1"], nil),
    ] as [(String?, [String?], String?)])
  func soleNode(affinity: String?, users: [String?], expected: String?) throws {
    let (cidr, document) = try block(of: affinity, users)
    #expect(BlockGlance.soleNode(document, cidr) == expected)
  }

  @Test("what is written otherwise, or is about another network, is not certain")
  func uncertain() throws {
    let (cidr, document) = try block(of: "host:n1", ["n1"])
    let text = String(decoding: document, as: UTF8.self)
    #expect(BlockGlance.soleNode(document, cidr) == "n1")
    func glance(_ text: String) -> String? { BlockGlance.soleNode(Array(text.utf8), cidr) }
    for (old, new) in [
      ("\"deleted\":false", "\"deleted\":true"), ("\"deleted\":false", "\"deleted\": true"),
      ("\"node\":\"n1\"", "\"node\": \"n2\""), ("\"node\":", "\"\\u006eode\":"), ("10.65.0.0/29", "10.65.0.8/29"),
      ("\"affinity\":\"host:n1\"", "\"affinity\":\"host:n1\",\"affinity\":\"host:n2\""),
    ] {
      #expect(text.contains(old))
      #expect(glance(text.replacing(old, with: new)) == nil, "\(new)")
    }
    #expect(glance(String(text.dropLast())) == nil)
    #expect(glance("") == nil)
    #expect(try BlockGlance.soleNode(document, #require(CIDR("10.65.0.0/2"))) == nil)
  }
}
