import IPAddressing
import JSON

extension IPPoolRules {
  /// The most characters of a selector (section 4.1.1).
  static let maximumSelectorLength = 1024
  /// The most allowed uses, and bytes of the CIDR (section 4.1.1).
  static let maximumUses = 10
  static let maximumCIDRLength = 48

  /// What is wrong with single values (step 10): enumerations, lengths, the syntax of selectors.
  static func valueViolations(_ specification: JSONObject) -> [InvalidField] {
    var fields: [InvalidField] = []
    let cidr = specification.text("cidr")
    if CIDR(cidr) == nil { fields.append(InvalidField("CIDR", cidr, "must be a network such as 10.65.0.0/16")) }
    if cidr.utf8.count > maximumCIDRLength {
      fields.append(InvalidField("CIDR", cidr, "must have at most \(maximumCIDRLength) characters"))
    }
    for (field, key) in [("VXLANMode", "vxlanMode"), ("IPIPMode", "ipipMode")] {
      let mode = specification.text(key)
      if !["", "Never", "Always", "CrossSubnet"].contains(mode) {
        fields.append(InvalidField(field, mode, "must be Never, Always or CrossSubnet"))
      }
    }
    let size = specification.integer("blockSize")
    if !(0...128).contains(size) { fields.append(InvalidField("BlockSize", String(size), "must be between 0 and 128")) }
    for (field, key) in [("NodeSelector", "nodeSelector"), ("NamespaceSelector", "namespaceSelector")] {
      if let reason = selectorViolation(specification.text(key)) {
        fields.append(InvalidField(field, specification.text(key), reason))
      }
    }
    let mode = specification.text("assignmentMode")
    if !["", "Automatic", "Manual"].contains(mode) {
      fields.append(InvalidField("AssignmentMode", mode, "must be Automatic or Manual"))
    }
    let uses = specification.texts("allowedUses")
    for use in uses where IPPool.AllowedUse(rawValue: use) == nil {
      fields.append(InvalidField("IPPool.Spec.AllowedUses", goList(uses), "unknown use: \(use)"))
    }
    if uses.count > maximumUses {
      fields.append(InvalidField("IPPool.Spec.AllowedUses", goList(uses), "must have at most \(maximumUses) entries"))
    }
    return fields
  }

  private static func selectorViolation(_ text: String) -> String? {
    if text.unicodeScalars.count > maximumSelectorLength {
      return "a selector has at most \(maximumSelectorLength) characters"
    }
    do {
      _ = try Selector(text)
      return nil
    } catch {
      return "invalid selector: \(error)"
    }
  }

  /// The rules between values that the API server evaluates in Kubernetes and the library elsewhere (section 4.1.2,
  /// the table of CEL rules), for values that are valid each for itself.
  ///
  /// The two rules on changes are not among them: step 3 and step 6 refuse such changes before these are asked.
  static func combinationViolations(_ specification: JSONObject) -> [InvalidField] {
    rules(PoolValues(specification)).filter(\.isBroken).map { InvalidField("spec", nil, $0.message) }
  }

  private struct Rule {
    var isBroken: Bool
    var message: String

    init(_ isBroken: Bool, _ message: String) {
      self.isBroken = isBroken
      self.message = message
    }
  }

  private static func rules(_ pool: PoolValues) -> [Rule] {
    [
      Rule(pool.hasIPIP && pool.hasVXLAN, "ipipMode and vxlanMode cannot both be enabled"),
      Rule(
        pool.isForLoadBalancers && (pool.hasIPIP || pool.hasVXLAN),
        "LoadBalancer IP pool cannot have IPIP or VXLAN enabled"),
      Rule(
        pool.isForLoadBalancers && (pool.uses.contains("Workload") || pool.uses.contains("Tunnel")),
        "LoadBalancer cannot be combined with Workload or Tunnel allowed uses"),
      Rule(pool.isV6 && pool.hasIPIP, "IPIP is not supported on IPv6 pools"),
      Rule(
        pool.isForLoadBalancers && pool.specification.flag("disableBGPExport"),
        "LoadBalancer IP pools cannot disable BGP export"),
      Rule(
        pool.isForLoadBalancers && !["", "all()"].contains(pool.nodeSelector),
        "IP Pool with AllowedUse LoadBalancer must have nodeSelector set to all()"),
      Rule(
        pool.uses.contains("Tunnel") && !pool.namespaceSelector.isEmpty,
        "IP Pool with AllowedUse Tunnel cannot have namespaceSelector"),
      Rule(usesGlobal(pool.nodeSelector), "global() selector is not valid for IPPool nodeSelector"),
      Rule(usesGlobal(pool.namespaceSelector), "global() selector is not valid for IPPool namespaceSelector"),
    ] + rangeRules(pool)
  }

  private static func rangeRules(_ pool: PoolValues) -> [Rule] {
    guard let cidr = pool.cidr else { return [] }
    let lengths = pool.isV6 ? 116...128 : 20...32
    let given = Int(pool.specification.integer("blockSize"))
    let size = given == 0 ? (pool.isV6 ? 122 : 26) : given
    return [
      Rule(cidr.hasHostBits, "IPPool CIDR must be strictly masked"),
      Rule(overlaps(cidr, "169.254.0.0/16"), "IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16"),
      Rule(overlaps(cidr, "fe80::/10"), "IPPool CIDR overlaps with IPv6 link local range fe80::/10"),
      Rule(
        given != 0 && !lengths.contains(given),
        "blockSize must be between 20 and 32 for IPv4 pools, and between 116 and 128 for IPv6 pools"),
      Rule(
        !pool.specification.flag("disabled") && cidr.prefixLength > size,
        "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size."),
    ]
  }

  private static func overlaps(_ cidr: CIDR, _ other: String) -> Bool {
    CIDR(other)?.overlaps(cidr) ?? false
  }

  private static func usesGlobal(_ text: String) -> Bool {
    // Absence is the expected answer for a text that is no selector: that is reported where values are checked.
    (try? Selector(text))?.usesGlobal ?? false
  }
}

/// A pool's values as its rules look at them.
private struct PoolValues {
  let specification: JSONObject
  let cidr: CIDR?
  let uses: [String]

  init(_ specification: JSONObject) {
    self.specification = specification
    cidr = CIDR(specification.text("cidr"))
    uses = specification.texts("allowedUses")
  }

  var isV6: Bool { cidr?.address.family == .v6 }
  var isForLoadBalancers: Bool { uses.contains("LoadBalancer") }
  var hasIPIP: Bool { !["", "Never"].contains(specification.text("ipipMode")) }
  var hasVXLAN: Bool { !["", "Never"].contains(specification.text("vxlanMode")) }
  var nodeSelector: String { specification.text("nodeSelector") }
  var namespaceSelector: String { specification.text("namespaceSelector") }
}
