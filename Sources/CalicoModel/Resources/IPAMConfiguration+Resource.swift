public import JSON

extension IPAMConfiguration {
  /// The most blocks per host, and the longest cool-down in seconds, that the schema of the resource allows
  /// (Calico IPAM specification, sections 1.9 and 4.3).
  public static let maximumBlocksPerHost = 1_000_000
  public static let maximumCooldownSeconds = 1200

  /// The switches as the `spec` of an IPAMConfiguration resource.
  public var specification: JSONObject {
    var members: JSONObject = [
      "strictAffinity": .bool(strictAffinity), "autoAllocateBlocks": .bool(autoAllocateBlocks),
    ]
    if maxBlocksPerHost != 0 { members["maxBlocksPerHost"] = .number(JSONNumber(maxBlocksPerHost)) }
    if let virtualMachineAddressPersistence {
      members["kubeVirtVMAddressPersistence"] = .string(virtualMachineAddressPersistence.rawValue)
    }
    if cooldownSeconds != 0 { members["ipCooldownSeconds"] = .number(JSONNumber(cooldownSeconds)) }
    return members
  }

  /// Takes all switches from the `spec` of an IPAMConfiguration resource; what it does not mention is false, 0 or
  /// unset, as in the originals (calicoctl specification, section 4.5). Members that only the stored object has stay.
  ///
  /// - Parameter specification: a `spec` whose values are valid.
  public mutating func take(_ specification: JSONObject) {
    strictAffinity = specification.flag("strictAffinity")
    autoAllocateBlocks = specification.flag("autoAllocateBlocks")
    maxBlocksPerHost = Int(specification.integer("maxBlocksPerHost"))
    let persistence = specification.text("kubeVirtVMAddressPersistence")
    virtualMachineAddressPersistence = AddressPersistence(rawValue: persistence)
    cooldownSeconds = Int(specification.integer("ipCooldownSeconds"))
  }
}
