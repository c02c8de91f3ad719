import IPAddressing
import JSON

extension Resource {
  /// Checks the resource as far as that is possible without looking at others: names and metadata, single values, and
  /// then the rules between values (Calico IPAM specification, section 4.1.2 step 10, sections 4.2 to 4.5).
  ///
  /// It is what `validate` does without a datastore, and a part of every write.
  ///
  /// - Throws: ``ResourceError`` of code `invalid`, with everything that is wrong.
  public func validate() throws(ResourceError) {
    var fields = ResourceMetadataRules.violations(self)
    switch kind {
    case .ipPool: fields += IPPoolRules.valueViolations(specification)
    case .ipReservation: fields += Self.reservationViolations(specification)
    case .ipamConfiguration:
      if name != "default" { throw Self.wrongConfigurationName }
      fields += Self.configurationViolations(specification)
    case .node: fields += NodeAddresses.violations(specification)
    case .clusterInformation, .tier, .blockAffinity: break
    }
    // Rules between values mean nothing where the values themselves are wrong.
    if fields.isEmpty, kind == .ipPool { fields += IPPoolRules.combinationViolations(specification) }
    guard fields.isEmpty else { throw .invalid(fields) }
  }

  /// Checks what only a new resource must be: named, and without a resource version (section 4.5).
  ///
  /// - Throws: ``ResourceError`` of code `invalid`.
  public func validateForCreation() throws(ResourceError) {
    if name.isEmpty { throw .invalid("Metadata.Name", "", "field must be set for a Create request") }
    if let resourceVersion {
      throw .invalid("Metadata.ResourceVersion", resourceVersion, "field must not be set for a Create request")
    }
  }

  /// Checks what only an update needs: the version it was read at, and that it was created (section 4.5).
  ///
  /// - Throws: ``ResourceError`` of code `invalid`.
  public func validateForUpdate() throws(ResourceError) {
    let reason = "field must be set for an Update request"
    if resourceVersion == nil { throw .invalid("Metadata.ResourceVersion", "", reason) }
    // Switches that were set without a document have neither time nor identifier (calicoctl section 3.6).
    if kind == .ipamConfiguration { return }
    // The value is how Go prints the zero time.
    if creationTimestamp == nil {
      throw .invalid("Metadata.CreationTimestamp", "0001-01-01 00:00:00 +0000 UTC", reason)
    }
    if uid == nil { throw .invalid("Metadata.UID", "", reason) }
  }

  /// There is one set of switches only (calicoctl specification, section 4.5).
  private static var wrongConfigurationName: ResourceError {
    let text = "Cannot create an IPAMConfiguration resource with a name other than \"default\""
    return ResourceError(.invalid([]), text)
  }

  /// Networks and bare addresses, with blanks around them as readers trim them (sections 3.18 and 4.2).
  private static func reservationViolations(_ specification: JSONObject) -> [InvalidField] {
    let entries = specification.texts("reservedCIDRs")
    return entries.indices.compactMap { index in
      let text = entries[index]
      if CIDR(text) != nil || IPAddress(text) != nil { return nil }
      return InvalidField("ReservedCIDRs[\(index)]", text, "must be a network such as 10.65.0.0/28, or an address")
    }
  }

  /// The rules between the switches are not applied to direct edits (section 4.3).
  private static func configurationViolations(_ specification: JSONObject) -> [InvalidField] {
    var fields: [InvalidField] = []
    let blocks = specification.integer("maxBlocksPerHost")
    if blocks < 0 {
      fields.append(InvalidField("MaxBlocksPerHost", String(blocks), "must be greater than or equal to 0"))
    } else if blocks > IPAMConfiguration.maximumBlocksPerHost {
      let reason = "must be less than or equal to \(IPAMConfiguration.maximumBlocksPerHost)"
      fields.append(InvalidField("MaxBlocksPerHost", String(blocks), reason))
    }
    let seconds = specification.integer("ipCooldownSeconds")
    if !(0...Int64(IPAMConfiguration.maximumCooldownSeconds)).contains(seconds) {
      let reason = "must be between 0 and \(IPAMConfiguration.maximumCooldownSeconds)"
      fields.append(InvalidField("IPCooldownSeconds", String(seconds), reason))
    }
    if let text = specification["kubeVirtVMAddressPersistence"]?.stringValue,
      IPAMConfiguration.AddressPersistence(rawValue: text) == nil
    {
      fields.append(InvalidField("KubeVirtVMAddressPersistence", text, "must be Enabled or Disabled"))
    }
    return fields
  }
}
