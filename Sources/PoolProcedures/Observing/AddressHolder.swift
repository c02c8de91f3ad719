import CalicoModel
public import IPAddressing

/// Who has an address of a pool, as its block records it (calicoctl specification, sections 1.5 and 6.1).
public struct AddressHolder: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// A pod of a namespace.
    case pod(namespace: String, name: String)
    /// A node's end of a tunnel, such as `vxlanTunnelAddress`; the node's own programs move it.
    case tunnel(String)
    /// A container that is no pod, by its handle; or whatever has no attributes.
    case other(handle: String?)
  }

  public let address: IPAddress
  /// The node that it is on; nil when nothing says.
  public let node: String?
  public let kind: Kind

  public init(address: IPAddress, node: String?, kind: Kind) {
    self.address = address
    self.node = node
    self.kind = kind
  }

  init(address: IPAddress, _ attribute: AllocationAttribute) {
    let owner = attribute.owner
    self.address = address
    node = owner["node"]
    if let pod = owner["pod"] {
      kind = .pod(namespace: owner["namespace"] ?? "default", name: pod)
    } else if let type = owner["type"] {
      kind = .tunnel(type)
    } else {
      kind = .other(handle: attribute.sanitizedHandleID)
    }
  }
}
