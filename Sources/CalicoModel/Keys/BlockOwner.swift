/// Who a block is affine to: a node, or something that stands for one.
///
/// Its text form is the `affinity` member of a block, such as `host:node-a` (Calico IPAM specification, section 2.8).
public struct BlockOwner: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A node.
    case host
    /// A stand-in such as `load-balancer`, whose addresses belong to services.
    case virtual
  }

  public let kind: Kind
  /// The node's name.
  public let name: String

  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  /// The owner of the addresses of load-balanced services.
  public static let loadBalancer = BlockOwner(.virtual, "load-balancer")

  /// Parses `host:<name>` and `virtual:<name>`; nil for any other text, which names no owner that can be acted for.
  public init?(_ text: String) {
    for kind in Kind.allCases where text.hasPrefix(kind.rawValue + ":") {
      self.kind = kind
      self.name = String(text.dropFirst(kind.rawValue.utf8.count + 1))
      return
    }
    return nil
  }

  /// `host:<name>` or `virtual:<name>`.
  public var description: String { kind.rawValue + ":" + name }
}
