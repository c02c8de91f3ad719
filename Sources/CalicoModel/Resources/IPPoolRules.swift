public import IPAddressing
import JSON

/// What a pool must be when it is written, in the order of the original's checks (Calico IPAM specification, sections
/// 4.1.2 and 4.1.3).
public enum IPPoolRules {
  private static let cidrField = "IPPool.Spec.CIDR"
  private static let sizeField = "IPPool.Spec.BlockSize"
  private static let usesField = "IPPool.Spec.AllowedUses"

  /// Fills in what a pool does not say, and makes the checks that need no schema: steps 1 to 9.
  ///
  /// - Parameters:
  ///   - pool: what is to be written.
  ///   - old: what is stored, for an update; nil to create.
  ///   - others: the pools that a new one must not overlap with; its own name among them is passed over, and so are
  ///     those whose CIDR is none.
  /// - Returns: the pool to write: the CIDR in canonical form, all defaults filled in.
  /// - Throws: ``ResourceError`` of code `invalid`.
  public static func prepared(
    _ pool: Resource, replacing old: Resource? = nil, beside others: [IPPool] = []
  ) throws(ResourceError) -> Resource {
    let written = pool.specification.text("cidr")
    if written.isEmpty { throw .invalid(cidrField, nil, "IPPool CIDR must be specified") }
    guard let given = CIDR(written) else { throw .invalid(cidrField, written, "IPPool CIDR must be a valid subnet") }
    let cidr = given.canonical.description
    var result = pool
    result.specification["cidr"] = .string(cidr)
    var fields: [InvalidField] = []
    if let old, !canChangeCIDR(from: old.specification.text("cidr"), to: cidr) {
      fields.append(InvalidField(cidrField, cidr, "IPPool CIDR cannot be modified"))
    }
    result.fillInPoolDefaults()
    let uses = result.specification.texts("allowedUses")
    if let old, old.specification.texts("allowedUses").contains(IPPool.AllowedUse.loadBalancer.rawValue),
      uses.contains(where: { $0 != IPPool.AllowedUse.loadBalancer.rawValue })
    {
      // The spelling is the original's.
      let reason = "IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel"
      throw .invalid(usesField, goList(uses), reason)
    }
    let size = result.specification.integer("blockSize")
    if let old, old.withPoolDefaults.specification.integer("blockSize") != size {
      fields.append(InvalidField(sizeField, String(size), "IPPool BlockSize cannot be modified"))
    }
    if old == nil {
      for other in others where other.name != pool.name && other.cidr?.overlaps(given) == true {
        let reason = "IPPool(\(pool.name)) CIDR overlaps with IPPool(\(other.name)) CIDR \(other.writtenCIDR)"
        fields.append(InvalidField(cidrField, cidr, reason))
      }
    }
    if given.hasHostBits { fields.append(InvalidField(cidrField, cidr, "IPPool CIDR is not strictly masked")) }
    guard fields.isEmpty else { throw .invalid(fields) }
    return result
  }

  /// Whether a stored CIDR may be replaced by a new text: the same text, or the canonical text of the same network
  /// (section 4.1.2 step 3).
  public static func canChangeCIDR(from old: String, to new: String) -> Bool {
    if old == new { return true }
    guard let old = CIDR(old), let cidr = CIDR(new) else { return false }
    return old.canonical == cidr.canonical && cidr.canonical.description == new
  }

  /// Refuses a new pool over blocks of another size, which its assignments would never find (step 11).
  ///
  /// - Parameters:
  ///   - blocks: the networks of all blocks of its family.
  ///   - pool: the pool, with its defaults.
  /// - Throws: ``ResourceError`` of code `invalid`.
  public static func checkBlocks(_ blocks: some Sequence<CIDR>, for pool: Resource) throws(ResourceError) {
    guard let cidr = CIDR(pool.specification.text("cidr")) else { return }
    let size = pool.specification.integer("blockSize")
    for block in blocks where block.prefixLength != size && block.overlaps(cidr) {
      let reason = "IPPool blocksSize conflicts with existing allocations that use a different blockSize"
      throw .invalid(sizeField, String(size), reason)
    }
  }

  /// A list as Go prints it.
  static func goList(_ texts: [String]) -> String { "[\(texts.joined(separator: " "))]" }
}

extension Resource {
  /// The pool with what the originals fill in whenever they read one (section 4.1.1); other kinds as they are.
  public var withReadDefaults: Resource { kind == .ipPool ? withPoolDefaults : self }

  var withPoolDefaults: Resource {
    var result = self
    result.fillInPoolDefaults()
    return result
  }

  /// Fills in what a pool does not say (section 4.1.1).
  mutating func fillInPoolDefaults() {
    var members = specification
    if members.integer("blockSize") == 0, let cidr = CIDR(members.text("cidr")) {
      members["blockSize"] = .number(JSONNumber(cidr.address.family == .v6 ? 122 : 26))
    }
    let defaults = [
      ("nodeSelector", "all()"), ("ipipMode", "Never"), ("vxlanMode", "Never"), ("assignmentMode", "Automatic"),
    ]
    for (key, value) in defaults where members.text(key).isEmpty {
      members[key] = .string(value)
    }
    if members.texts("allowedUses").isEmpty { members["allowedUses"] = ["Workload", "Tunnel"] }
    specification = members
    document = ResourceSchema.of(kind).arranged(document)
  }
}

extension JSONObject {
  /// The text under a key; empty when there is none.
  func text(_ key: String) -> String { self[key]?.stringValue ?? "" }

  /// The list of texts under a key; empty when there is none.
  func texts(_ key: String) -> [String] { (self[key]?.arrayValue ?? []).compactMap(\.stringValue) }

  /// The integer under a key; 0 when there is none.
  func integer(_ key: String) -> Int64 { self[key]?.numberValue?.int64 ?? 0 }

  /// The truth value under a key; false when there is none.
  func flag(_ key: String) -> Bool { self[key]?.boolValue ?? false }
}
