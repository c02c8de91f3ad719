public import IPAddressing
import JSON

/// What a Node says of its host's addresses: what routes to the host are made from (Calico IPAM specification, section
/// 4.4; routes specification, section 1.1).
///
/// A text that is no address is left out and named in ``violations``: the rest of the node is as good as it was.
public struct NodeNetwork: Hashable, Sendable {
  /// An address that the node is listed with.
  public struct Listed: Hashable, Sendable {
    /// Such as `InternalIP`; empty when nothing says.
    public var type: String
    /// With the prefix length of its subnet if that is written, else that of a single host.
    public var address: CIDR
  }

  /// `spec.bgp.ipv4Address` and `spec.bgp.ipv6Address`.
  public var bgpV4: CIDR?
  public var bgpV6: CIDR?
  /// `spec.bgp.ipv4IPIPTunnelAddr`.
  public var ipipTunnelAddress: IPAddress?
  /// `spec.ipv4VXLANTunnelAddr` and `spec.ipv6VXLANTunnelAddr`.
  public var vxlanTunnelAddressV4: IPAddress?
  public var vxlanTunnelAddressV6: IPAddress?
  /// `spec.vxlanTunnelMACAddr` and `spec.vxlanTunnelMACAddrV6` as they are written; nil when they are not.
  public var vxlanHardwareAddressV4: String?
  public var vxlanHardwareAddressV6: String?
  /// `spec.addresses`.
  public var addresses: [Listed] = []
  /// The ranges of the node's pods, each once: `status.podCIDRs`, and `spec.podCIDRs` and `spec.podCIDR` as Kubernetes
  /// has them. Without host bits.
  public var podCIDRs: [CIDR] = []
  /// When the node was made; nil when nothing says.
  public var createdAt: Timestamp?
  /// What is wrong with it, each with the member's name.
  public var violations: [String] = []

  /// Reads the resource as any of the datastores keeps it.
  ///
  /// - Parameter document: the resource's text.
  /// - Throws: ``ModelError`` when the text is malformed.
  public init(decoding document: [UInt8]) throws(ModelError) {
    self = try JSONReader.readEntry(document) { reader throws(JSONError) in
      var node = NodeNetwork()
      try reader.readMembers { key, reader throws(JSONError) in
        if key.is("metadata") {
          try node.readMetadata(&reader)
        } else if key.is("spec") {
          try node.readSpecification(&reader)
        } else if key.is("status") {
          try node.readStatus(&reader)
        } else {
          try reader.skipValue()
        }
      }
      return node
    }
  }

  private init() {}

  /// The address that other nodes send to: that of BGP, else the first internal, else the first external one.
  public func underlay(_ family: AddressFamily) -> CIDR? {
    if let address = family == .v4 ? bgpV4 : bgpV6 { return address }
    for type in ["InternalIP", "ExternalIP"] {
      if let listed = addresses.first(where: { $0.type == type && $0.address.address.family == family }) {
        return listed.address
      }
    }
    return nil
  }
}

// MARK: - Members

extension NodeNetwork {
  private mutating func readMetadata(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readMembers { key, reader throws(JSONError) in
      if key.is("creationTimestamp") { createdAt = try reader.readTimestamp() } else { try reader.skipValue() }
    }
  }

  private mutating func readSpecification(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readMembers { key, reader throws(JSONError) in
      if key.is("bgp") {
        try readBGP(&reader)
      } else if key.is("ipv4VXLANTunnelAddr") {
        vxlanTunnelAddressV4 = try readAddress("spec.ipv4VXLANTunnelAddr", .v4, &reader)
      } else if key.is("ipv6VXLANTunnelAddr") {
        vxlanTunnelAddressV6 = try readAddress("spec.ipv6VXLANTunnelAddr", .v6, &reader)
      } else if key.is("vxlanTunnelMACAddr") {
        vxlanHardwareAddressV4 = try readText(&reader)
      } else if key.is("vxlanTunnelMACAddrV6") {
        vxlanHardwareAddressV6 = try readText(&reader)
      } else if key.is("addresses") {
        try reader.readElements { reader throws(JSONError) in try readListed(&reader) }
      } else if key.is("podCIDRs") {
        try reader.readElements { reader throws(JSONError) in try readPodCIDR("spec.podCIDRs", &reader) }
      } else if key.is("podCIDR") {
        try readPodCIDR("spec.podCIDR", &reader)
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func readBGP(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readMembers { key, reader throws(JSONError) in
      if key.is("ipv4Address") {
        bgpV4 = try readNetwork("spec.bgp.ipv4Address", .v4, &reader)
      } else if key.is("ipv6Address") {
        bgpV6 = try readNetwork("spec.bgp.ipv6Address", .v6, &reader)
      } else if key.is("ipv4IPIPTunnelAddr") {
        ipipTunnelAddress = try readAddress("spec.bgp.ipv4IPIPTunnelAddr", .v4, &reader)
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func readListed(_ reader: inout JSONReader) throws(JSONError) {
    var type = ""
    var text = ""
    try reader.readMembers { key, reader throws(JSONError) in
      if key.is("type") {
        type = try readText(&reader) ?? ""
      } else if key.is("address") {
        text = try readText(&reader) ?? ""
      } else {
        try reader.skipValue()
      }
    }
    if text.isEmpty { return }
    guard let address = CIDR(text) ?? IPAddress(text).map({ CIDR(host: $0) }) else {
      // A Kubernetes node is listed with its names as well.
      if type.hasSuffix("IP") { violate("spec.addresses", text, "an address") }
      return
    }
    addresses.append(Listed(type: type, address: address))
  }

  private mutating func readStatus(_ reader: inout JSONReader) throws(JSONError) {
    try reader.readMembers { key, reader throws(JSONError) in
      if key.is("podCIDRs") {
        try reader.readElements { reader throws(JSONError) in try readPodCIDR("status.podCIDRs", &reader) }
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func readPodCIDR(_ member: String, _ reader: inout JSONReader) throws(JSONError) {
    guard let text = try readText(&reader) else { return }
    guard let range = CIDR(text)?.canonical else { return violate(member, text, "an address range") }
    if !podCIDRs.contains(range) { podCIDRs.append(range) }
  }

  // MARK: Values

  private mutating func violate(_ member: String, _ text: String, _ expectation: String) {
    violations.append("\(member) is \"\(text)\", which is not \(expectation)")
  }

  /// A text; nil for null and the empty one, which Go cannot tell apart.
  private func readText(_ reader: inout JSONReader) throws(JSONError) -> String? {
    if try reader.readNull() { return nil }
    let text = try reader.readString()
    return text.isEmpty ? nil : text
  }

  private mutating func readAddress(
    _ member: String, _ family: AddressFamily, _ reader: inout JSONReader
  ) throws(JSONError) -> IPAddress? {
    guard let text = try readText(&reader) else { return nil }
    if let address = IPAddress(text), address.family == family { return address }
    violate(member, text, "an IPv\(family.rawValue) address")
    return nil
  }

  private mutating func readNetwork(
    _ member: String, _ family: AddressFamily, _ reader: inout JSONReader
  ) throws(JSONError) -> CIDR? {
    guard let text = try readText(&reader) else { return nil }
    let network = CIDR(text) ?? IPAddress(text).map { CIDR(host: $0) }
    if let network, network.address.family == family { return network }
    violate(member, text, "an IPv\(family.rawValue) address with its prefix length")
    return nil
  }
}
