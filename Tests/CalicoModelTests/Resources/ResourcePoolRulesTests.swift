import CalicoModel
import IPAddressing
import JSON
import Testing

@Suite("Rules of pools")
struct ResourcePoolRulesTests {
  private static func preparation(
    _ pool: Resource, replacing old: Resource? = nil, beside others: [IPPool] = []
  ) -> String? {
    Documents.failure { _ = try IPPoolRules.prepared(pool, replacing: old, beside: others) }
  }

  @Test("88: what a pool does not say is filled in")
  func defaults() throws {
    let pool = try IPPoolRules.prepared(try Documents.pool("10.0.0.0/24"))
    let rest =
      #""vxlanMode":"Never","ipipMode":"Never","blockSize":26,"nodeSelector":"all()","#
      + #""allowedUses":["Workload","Tunnel"],"assignmentMode":"Automatic"}}"#
    #expect(pool.text.hasSuffix(#""spec":{"cidr":"10.0.0.0/24",\#(rest)"#))
    #expect(try IPPoolRules.prepared(try Documents.pool("fd00::/64")).text.contains(#""blockSize":122"#))
    let old = try Resource(stored: Array(#"{"spec":{"cidr":"fd00::/64"}}"#.utf8), kind: .ipPool, name: "p")
    #expect(old.withReadDefaults.text.contains(#""blockSize":122,"nodeSelector":"all()""#))
    let node = try Documents.resource("Node", "n", [:])
    #expect(node.withReadDefaults == node)
  }

  @Test("the range is stored in canonical form")
  func canonical() throws {
    let pool = try IPPoolRules.prepared(try Documents.pool("FD00:0:0::/64"))
    #expect(pool.text.contains(#""cidr":"fd00::/64""#))
  }

  @Test("a range must be there and be one; nothing else is said then")
  func range() throws {
    #expect(
      Self.preparation(try Documents.pool("")) == "error with field IPPool.Spec.CIDR (IPPool CIDR must be specified)")
    for text in ["10.0.1.0/33", "10.0.256.0/24", "fd5f::2::1/32", "10.0.0.0"] {
      #expect(
        Self.preparation(try Documents.pool(text))
          == "error with field IPPool.Spec.CIDR = '\(text)' (IPPool CIDR must be a valid subnet)")
    }
  }

  @Test("host bits are refused, and the canonical range is shown")
  func hostBits() throws {
    #expect(
      Self.preparation(try Documents.pool("fd5f::1/123"))
        == "error with field IPPool.Spec.CIDR = 'fd5f::/123' (IPPool CIDR is not strictly masked)")
  }

  @Test("88: a new pool must not overlap with another, enabled or not; its own name is passed over")
  func overlap() throws {
    let others = [
      try Documents.other("10.0.1.0/24", name: "a"), try Documents.other("10.0.0.0/8", name: "pool1"),
      try Documents.other("nonsense", name: "b"), try Documents.other("10.1.0.0/16", name: "c"),
    ]
    #expect(
      Self.preparation(try Documents.pool("10.0.0.0/16"), beside: others)
        == "error with field IPPool.Spec.CIDR = '10.0.0.0/16' "
        + "(IPPool(pool1) CIDR overlaps with IPPool(a) CIDR 10.0.1.0/24)")
    // An update is not asked: what overlaps must be possible to change.
    #expect(Self.preparation(try Documents.pool(), replacing: try Documents.pool(), beside: others) == nil)
  }

  @Test("everything that is wrong is said together, in the order of the checks")
  func several() throws {
    let text = try #require(
      Self.preparation(
        try Documents.pool("10.1.0.1/16", ["blockSize": 28]), replacing: try Documents.pool("10.0.0.0/16")))
    #expect(
      text == "error with the following fields:\n"
        + "-  IPPool.Spec.CIDR = '10.1.0.0/16' (IPPool CIDR cannot be modified)\n"
        + "-  IPPool.Spec.BlockSize = '28' (IPPool BlockSize cannot be modified)\n"
        + "-  IPPool.Spec.CIDR = '10.1.0.0/16' (IPPool CIDR is not strictly masked)\n")
  }

  @Test("88: range and block size cannot be changed, but a default may be written out")
  func immutability() throws {
    let old = try Documents.pool("10.0.0.0/16")
    #expect(
      Self.preparation(try Documents.pool("10.0.0.0/17"), replacing: old)
        == "error with field IPPool.Spec.CIDR = '10.0.0.0/17' (IPPool CIDR cannot be modified)")
    #expect(
      Self.preparation(try Documents.pool("10.0.0.0/16", ["blockSize": 27]), replacing: old)
        == "error with field IPPool.Spec.BlockSize = '27' (IPPool BlockSize cannot be modified)")
    #expect(Self.preparation(try Documents.pool("10.0.0.0/16", ["blockSize": 26]), replacing: old) == nil)
    let changes: JSONObject = [
      "disabled": true, "nodeSelector": "has(a)", "natOutgoing": true, "vxlanMode": "Always",
      "assignmentMode": "Manual", "disableBGPExport": true, "allowedUses": ["Workload"],
    ]
    #expect(Self.preparation(try Documents.pool("10.0.0.0/16", changes), replacing: old) == nil)
  }

  @Test("a pool for load balancers stays one; this is said alone")
  func loadBalancer() throws {
    let old = try Documents.pool("10.0.0.0/16", ["allowedUses": ["LoadBalancer"]])
    let reason = "IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel"
    #expect(
      Self.preparation(
        try Documents.pool("10.1.0.0/16", ["allowedUses": ["LoadBalancer", "Workload"]]), replacing: old)
        == "error with field IPPool.Spec.AllowedUses = '[LoadBalancer Workload]' (\(reason))")
    // A document that leaves the uses out means the default.
    #expect(
      Self.preparation(try Documents.pool("10.0.0.0/16"), replacing: old)
        == "error with field IPPool.Spec.AllowedUses = '[Workload Tunnel]' (\(reason))")
    #expect(Self.preparation(old, replacing: try Documents.pool("10.0.0.0/16")) == nil)
  }

  @Test("88: which text may replace a stored range")
  func rangeChange() {
    #expect(IPPoolRules.canChangeCIDR(from: "10.0.0.0/24", to: "10.0.0.0/24"))
    #expect(IPPoolRules.canChangeCIDR(from: "junk", to: "junk"))
    #expect(IPPoolRules.canChangeCIDR(from: "10.0.0.1/24", to: "10.0.0.0/24"))
    #expect(IPPoolRules.canChangeCIDR(from: "5001:0:0:1b::/64", to: "5001:0:0:1b::/64"))
    #expect(IPPoolRules.canChangeCIDR(from: "5001:0:0:001b::/64", to: "5001:0:0:1b::/64"))
    #expect(!IPPoolRules.canChangeCIDR(from: "10.0.0.0/24", to: "10.0.0.1/24"))
    #expect(!IPPoolRules.canChangeCIDR(from: "10.0.0.0/24", to: "10.0.1.0/24"))
    #expect(!IPPoolRules.canChangeCIDR(from: "10.0.0.0/24", to: "10.0.0.0/25"))
    #expect(!IPPoolRules.canChangeCIDR(from: "junk", to: "10.0.0.0/24"))
    #expect(!IPPoolRules.canChangeCIDR(from: "10.0.0.0/24", to: "junk"))
  }

  @Test("blocks of another size inside the range, or around it, forbid a new pool")
  func blocks() throws {
    let pool = try IPPoolRules.prepared(try Documents.pool("10.0.0.0/24"))
    func failure(_ blocks: String...) throws -> String? {
      let blocks = try blocks.map { try #require(CIDR($0)) }
      return Documents.failure { try IPPoolRules.checkBlocks(blocks, for: pool) }
    }
    #expect(try failure("10.0.0.64/26", "10.0.1.0/29", "fd00::/122") == nil)
    let reason = "IPPool blocksSize conflicts with existing allocations that use a different blockSize"
    for block in ["10.0.0.0/29", "10.0.0.0/20"] {
      #expect(try failure("10.0.0.64/26", block) == "error with field IPPool.Spec.BlockSize = '26' (\(reason))")
    }
  }
}
