import CalicoModel
import IPAddressing
import JSON
import Testing

@Suite("Rules of resources")
struct ResourceValidationTests {
  private static func failure(_ resource: Resource) -> String? { Documents.failure { try resource.validate() } }

  struct Case: Sendable, CustomTestStringConvertible {
    var cidr = "10.0.0.0/16"
    var more: JSONObject
    var message: String
    var testDescription: String { message }
  }

  @Test(
    "rules between the values of a pool",
    arguments: [
      Case(
        more: ["ipipMode": "Always", "vxlanMode": "CrossSubnet"],
        message: "ipipMode and vxlanMode cannot both be enabled"),
      Case(
        more: ["allowedUses": ["LoadBalancer"], "vxlanMode": "Always"],
        message: "LoadBalancer IP pool cannot have IPIP or VXLAN enabled"),
      Case(
        more: ["allowedUses": ["LoadBalancer"], "ipipMode": "CrossSubnet"],
        message: "LoadBalancer IP pool cannot have IPIP or VXLAN enabled"),
      Case(
        more: ["allowedUses": ["LoadBalancer", "Workload"]],
        message: "LoadBalancer cannot be combined with Workload or Tunnel allowed uses"),
      Case(
        more: ["allowedUses": ["Tunnel", "LoadBalancer"]],
        message: "LoadBalancer cannot be combined with Workload or Tunnel allowed uses"),
      Case(cidr: "fd00::/64", more: ["ipipMode": "Always"], message: "IPIP is not supported on IPv6 pools"),
      Case(
        more: ["allowedUses": ["LoadBalancer"], "disableBGPExport": true],
        message: "LoadBalancer IP pools cannot disable BGP export"),
      Case(
        more: ["allowedUses": ["LoadBalancer"], "nodeSelector": "has(a)"],
        message: "IP Pool with AllowedUse LoadBalancer must have nodeSelector set to all()"),
      Case(
        more: ["namespaceSelector": "has(a)", "allowedUses": ["Workload", "Tunnel"]],
        message: "IP Pool with AllowedUse Tunnel cannot have namespaceSelector"),
      Case(more: ["nodeSelector": "global()"], message: "global() selector is not valid for IPPool nodeSelector"),
      Case(
        more: ["namespaceSelector": "!global()", "allowedUses": ["Workload"]],
        message: "global() selector is not valid for IPPool namespaceSelector"),
      Case(cidr: "10.0.0.1/24", more: [:], message: "IPPool CIDR must be strictly masked"),
      Case(
        cidr: "169.254.128.0/17", more: [:],
        message: "IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16"),
      Case(cidr: "fe80::/64", more: [:], message: "IPPool CIDR overlaps with IPv6 link local range fe80::/10"),
      Case(more: ["blockSize": 19], message: Self.sizes),
      Case(more: ["blockSize": 33, "disabled": true], message: Self.sizes),
      Case(cidr: "fd00::/64", more: ["blockSize": 115], message: Self.sizes),
      Case(cidr: "10.0.0.0/32", more: [:], message: Self.tooSmall),
      Case(cidr: "192.168.0.0/27", more: [:], message: Self.tooSmall),
      Case(cidr: "192.168.0.0/27", more: ["blockSize": 26], message: Self.tooSmall),
      Case(cidr: "::/128", more: [:], message: Self.tooSmall),
    ])
  func poolCombinations(example: Case) throws {
    let pool = try Documents.pool(example.cidr, example.more)
    #expect(Self.failure(pool) == "error with field spec (\(example.message))")
  }

  private static let sizes =
    "blockSize must be between 20 and 32 for IPv4 pools, and between 116 and 128 for IPv6 pools"
  private static let tooSmall =
    "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size."

  @Test(
    "pools that break no rule",
    arguments: [
      Case(more: [:], message: ""), Case(cidr: "10.0.0.0/26", more: [:], message: ""),
      Case(cidr: "10.0.0.0/32", more: ["blockSize": 32], message: ""),
      Case(cidr: "10.0.0.0/27", more: ["disabled": true], message: ""),
      Case(cidr: "fd00::/122", more: ["vxlanMode": "Always"], message: ""),
      Case(more: ["allowedUses": ["LoadBalancer"], "nodeSelector": "all()"], message: ""),
      Case(more: ["namespaceSelector": "has(a)", "allowedUses": ["Workload"]], message: ""),
      Case(more: ["nodeSelector": "a == 'global()'"], message: ""), Case(more: ["blockSize": 20], message: ""),
    ])
  func soundPools(example: Case) throws {
    #expect(Self.failure(try Documents.pool(example.cidr, example.more)) == nil)
  }

  @Test("several broken rules are listed")
  func several() throws {
    let pool = try Documents.pool("fe80::/64", ["ipipMode": "Always", "vxlanMode": "Always"])
    #expect(
      Self.failure(pool) == "error with the following fields:\n"
        + "-  spec (ipipMode and vxlanMode cannot both be enabled)\n"
        + "-  spec (IPIP is not supported on IPv6 pools)\n"
        + "-  spec (IPPool CIDR overlaps with IPv6 link local range fe80::/10)\n")
  }

  @Test(
    "single values of a pool",
    arguments: [
      Case(more: ["vxlanMode": "On"], message: "VXLANMode = 'On' (must be Never, Always or CrossSubnet)"),
      Case(more: ["ipipMode": "always"], message: "IPIPMode = 'always' (must be Never, Always or CrossSubnet)"),
      Case(more: ["assignmentMode": "Auto"], message: "AssignmentMode = 'Auto' (must be Automatic or Manual)"),
      Case(more: ["blockSize": 129], message: "BlockSize = '129' (must be between 0 and 128)"),
      Case(
        more: ["allowedUses": ["Workload", "Pods"]],
        message: "IPPool.Spec.AllowedUses = '[Workload Pods]' (unknown use: Pods)"),
      Case(
        more: ["allowedUses": .array(Array(repeating: "Workload", count: 11))],
        message: "IPPool.Spec.AllowedUses = '[\(Array(repeating: "Workload", count: 11).joined(separator: " "))]' "
          + "(must have at most 10 entries)"),
      Case(more: ["nodeSelector": "a = 'b'"], message: "NodeSelector = 'a = 'b'' (invalid selector: expected ==)"),
      Case(
        more: ["namespaceSelector": "a =="],
        message: "NamespaceSelector = 'a ==' (invalid selector: expected string)"),
      Case(
        more: ["nodeSelector": .string(String(repeating: " ", count: 1025))],
        message: "NodeSelector = '\(String(repeating: " ", count: 1025))' (a selector has at most 1024 characters)"),
      Case(cidr: "10.0.0.0/33", more: [:], message: "CIDR = '10.0.0.0/33' (must be a network such as 10.65.0.0/16)"),
    ])
  func poolValues(example: Case) throws {
    #expect(Self.failure(try Documents.pool(example.cidr, example.more)) == "error with field \(example.message)")
  }

  @Test("names")
  func names() throws {
    func failure(_ name: String) throws -> String? { Self.failure(try Documents.resource("IPReservation", name, [:])) }
    for name in ["a", "node-3.example.com", "0", String(repeating: "a", count: 253)] {
      #expect(try failure(name) == nil)
    }
    let long = String(repeating: "a", count: 256)
    #expect(try failure(long) == "error with field Metadata.Name = '\(long)' (name is too long by 3 bytes)")
    let pattern = #"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"#
    let rule = "name must consist of lower case alphanumeric characters, '-' or '.' (regex: \(pattern))"
    for name in ["A", "a_b", "-a", "a-", "a..b", ".a", "a.", "ä", "a b"] {
      #expect(try failure(name) == "error with field Metadata.Name = '\(name)' (\(rule))")
    }
  }

  @Test("labels and annotations")
  func labels() throws {
    func failure(labels: JSONObject = [:], annotations: JSONObject = [:]) throws -> String? {
      let metadata: JSONObject = ["labels": .object(labels), "annotations": .object(annotations)]
      return Self.failure(try Documents.resource("Node", "n", [:], metadata: metadata))
    }
    #expect(try failure(labels: ["a": "", "example.com/A_b.c": "x-Y_1"], annotations: ["Some/Key": "any text"]) == nil)
    let word = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    #expect(
      try failure(labels: ["-a": ""])
        == "error with field Metadata.Labels (label) = '-a' (name part must consist of \(word))")
    #expect(
      try failure(labels: ["a": "b c"]) == "error with field Metadata.Labels (value) = 'b c' "
        + "(a valid label must be an empty string or consist of \(word))")
    let long = String(repeating: "a", count: 64)
    #expect(
      try failure(labels: ["a": .string(long)])
        == "error with field Metadata.Labels (value) = '\(long)' (must be no more than 63 characters)")
    #expect(try failure(labels: ["a/b/c": ""])?.contains("at most one slash") == true)
    #expect(try failure(labels: ["a/": ""])?.contains("name part must be non-empty") == true)
    #expect(try failure(labels: ["A_/b": ""])?.contains("domain name") == true)
    #expect(try failure(labels: [long: ""])?.contains("name part must be no more than 63 characters") == true)
    #expect(
      try failure(annotations: ["a b": ""])?.hasPrefix("error with field Metadata.Annotations (key) = 'a b'") == true)
    let large = JSON.string(String(repeating: "x", count: 256 * 1024))
    #expect(
      try failure(annotations: ["a": large])
        == "error with field Metadata.Annotations (key) (total size of annotations is too large by 1 bytes)")
  }

  @Test("reservations are networks and addresses")
  func reservations() throws {
    func failure(_ entries: JSON...) throws -> String? {
      Self.failure(try Documents.resource("IPReservation", "r", ["reservedCIDRs": .array(entries)]))
    }
    #expect(try failure("10.0.0.0/24", "10.0.0.1", "fd00::1", "10.0.0.1/24") == nil)
    #expect(
      try failure("10.0.0.0/24", "10.0.0.300") == "error with field ReservedCIDRs[1] = '10.0.0.300' "
        + "(must be a network such as 10.65.0.0/28, or an address)")
  }

  @Test("switches: one set, within bounds; the rules between them do not hold for documents")
  func configuration() throws {
    func failure(_ specification: JSON, name: String = "default") throws -> String? {
      Self.failure(try Documents.resource("IPAMConfiguration", name, specification))
    }
    #expect(try failure([:]) == nil)
    #expect(try failure(["maxBlocksPerHost": 1_000_000, "ipCooldownSeconds": 1200]) == nil)
    #expect(
      try failure([:], name: "other")
        == "Cannot create an IPAMConfiguration resource with a name other than \"default\"")
    #expect(
      try failure(["maxBlocksPerHost": -1])
        == "error with field MaxBlocksPerHost = '-1' (must be greater than or equal to 0)")
    #expect(try failure(["maxBlocksPerHost": 1_000_001])?.contains("less than or equal to 1000000") == true)
    for seconds in [-1, 1201] {
      #expect(
        try failure(["ipCooldownSeconds": .number(JSONNumber(seconds))])
          == "error with field IPCooldownSeconds = '\(seconds)' (must be between 0 and 1200)")
    }
    #expect(
      try failure(["kubeVirtVMAddressPersistence": "on"])
        == "error with field KubeVirtVMAddressPersistence = 'on' (must be Enabled or Disabled)")
  }

  @Test("addresses of a node are of their family")
  func nodes() throws {
    func failure(_ specification: JSON) throws -> String? {
      Self.failure(try Documents.resource("Node", "n", specification))
    }
    #expect(try failure(["bgp": ["ipv4Address": "10.0.0.1/24", "ipv6Address": "fd00::1/64"]]) == nil)
    #expect(
      try failure(["bgp": ["ipv4Address": "fd00::1/64"]])
        == "error with field IPv4Address = 'fd00::1/64' (must be an IPv4 address with its prefix length)")
    #expect(
      try failure(["ipv6VXLANTunnelAddr": "10.0.0.1"])
        == "error with field IPv6VXLANTunnelAddr = '10.0.0.1' (must be an IPv6 address)")
  }

  @Test("tunnel addresses of a node, each once")
  func tunnels() {
    let specification: JSONObject = [
      "bgp": ["ipv4Address": "10.0.0.1/24", "ipv4IPIPTunnelAddr": "10.1.0.1"], "ipv4VXLANTunnelAddr": "10.1.0.2",
      "ipv6VXLANTunnelAddr": "fd00::2", "wireguard": ["interfaceIPv4Address": "10.1.0.1", "interfaceIPv6Address": ""],
    ]
    #expect(NodeAddresses.tunnels(specification).map(\.description) == ["10.1.0.1", "10.1.0.2", "fd00::2"])
  }

  @Test("what a create and an update ask of the metadata")
  func metadata() throws {
    let bare = try Documents.pool(name: "")
    #expect(
      Documents.failure { try bare.validateForCreation() }
        == "error with field Metadata.Name = '' (field must be set for a Create request)")
    var pool = try Documents.pool()
    let reason = "field must be set for an Update request"
    #expect(
      Documents.failure { try pool.validateForUpdate() } == "error with field Metadata.ResourceVersion = '' (\(reason))"
    )
    pool.resourceVersion = "5"
    #expect(
      Documents.failure { try pool.validateForCreation() }
        == "error with field Metadata.ResourceVersion = '5' (field must not be set for a Create request)")
    #expect(Documents.failure { try pool.validateForUpdate() }?.contains("Metadata.CreationTimestamp") == true)
    pool.creationTimestamp = "2026-08-22T13:33:00Z"
    #expect(Documents.failure { try pool.validateForUpdate() } == "error with field Metadata.UID = '' (\(reason))")
    pool.uid = "u"
    #expect(Documents.failure { try pool.validateForUpdate() } == nil)
  }
}
