public import IPAddressing
public import JSON

/// The addresses in a Node (Calico IPAM specification, section 4.4).
public enum NodeAddresses {
  private enum Form {
    case address(AddressFamily)
    case network(AddressFamily)

    func accepts(_ text: String) -> Bool {
      switch self {
      case .address(let family): IPAddress(text)?.family == family
      case .network(let family): CIDR(text)?.address.family == family
      }
    }

    var reason: String {
      switch self {
      case .address(let family): "must be an IPv\(family.rawValue) address"
      case .network(let family): "must be an IPv\(family.rawValue) address with its prefix length"
      }
    }
  }

  private struct Field {
    /// The objects on the way to the member, and the member.
    var path: [String]
    /// The original's name of it in error texts.
    var name: String
    var form: Form
    /// Whether it is a tunnel's address, which is assigned from a pool.
    var isTunnel = false
  }

  private static let fields = [
    Field(path: ["bgp", "ipv4Address"], name: "IPv4Address", form: .network(.v4)),
    Field(path: ["bgp", "ipv6Address"], name: "IPv6Address", form: .network(.v6)),
    Field(path: ["bgp", "ipv4IPIPTunnelAddr"], name: "IPv4IPIPTunnelAddr", form: .address(.v4), isTunnel: true),
    Field(path: ["bgp", "routeReflectorClusterID"], name: "RouteReflectorClusterID", form: .address(.v4)),
    Field(path: ["ipv4VXLANTunnelAddr"], name: "IPv4VXLANTunnelAddr", form: .address(.v4), isTunnel: true),
    Field(path: ["ipv6VXLANTunnelAddr"], name: "IPv6VXLANTunnelAddr", form: .address(.v6), isTunnel: true),
    Field(
      path: ["wireguard", "interfaceIPv4Address"], name: "InterfaceIPv4Address", form: .address(.v4), isTunnel: true),
    Field(
      path: ["wireguard", "interfaceIPv6Address"], name: "InterfaceIPv6Address", form: .address(.v6), isTunnel: true),
  ]

  /// The tunnel addresses of a node.
  ///
  /// - Parameter specification: the `spec` of the node.
  /// - Returns: the addresses, each once, in the order IPIP, VXLAN, WireGuard; what is no address is passed over.
  public static func tunnels(_ specification: JSONObject) -> [IPAddress] {
    var addresses: [IPAddress] = []
    for field in fields where field.isTunnel {
      guard let address = IPAddress(text(field, specification)), !addresses.contains(address) else { continue }
      addresses.append(address)
    }
    return addresses
  }

  /// What is wrong with the addresses of a node.
  static func violations(_ specification: JSONObject) -> [InvalidField] {
    fields.compactMap { field in
      let text = text(field, specification)
      return text.isEmpty || field.form.accepts(text) ? nil : InvalidField(field.name, text, field.form.reason)
    }
  }

  private static func text(_ field: Field, _ specification: JSONObject) -> String {
    var value = JSON.object(specification)
    for name in field.path {
      guard let member = value.objectValue?[name] else { return "" }
      value = member
    }
    return value.stringValue ?? ""
  }
}
