public import IPAddressing

/// Makes claims out of what a datastore has (routes specification, sections 1.3 and 1.7).
public enum Claims {
  /// An address of a block that is in use, and by which node as far as is recorded.
  public struct Allocation: Hashable, Sendable {
    public var address: IPAddress
    /// The attribute `node`; nil or empty where there is none.
    public var node: String?

    public init(_ address: IPAddress, node: String?) {
      self.address = address
      self.node = node
    }
  }

  /// What a block comes to.
  public struct Reading: Hashable, Sendable {
    /// Nil when the block is gone.
    public var claim: Claim?
    /// What was left out, to be told to people.
    public var warnings: [Warning]

    public init(claim: Claim?, warnings: [Warning] = []) {
      self.claim = claim
      self.warnings = warnings
    }
  }

  /// Something in a block that routes cannot be made of.
  public enum Warning: Hashable, Sendable, CustomStringConvertible {
    /// The address is in use, by nobody knows which node.
    case noNode(IPAddress)
    /// The address is none of the block's.
    case outside(IPAddress, block: CIDR)

    public var description: String {
      switch self {
      case .noNode(let address):
        "\(address) is in use, but no node is recorded with it: nothing is routed to it; release it, or record its node"
      case .outside(let address, let block):
        "\(address) is recorded in block \(block), but is not in it: nothing is routed to it; repair the block"
      }
    }
  }

  /// What one block says.
  ///
  /// Its node has all of it but the addresses that other nodes use. In a block of a single address, the node that uses
  /// the address has it, whichever the block belongs to: it cannot be used anywhere else.
  ///
  /// - Parameters:
  ///   - cidr: the block.
  ///   - host: the node that it belongs to, or the whole `virtual:` name of what is no node; nil for neither.
  ///   - allocations: the addresses in use, with their nodes.
  ///   - isDeleted: whether the datastore has it marked as deleted.
  /// - Returns: the claim, and what had to be left out.
  public static func block(
    _ cidr: CIDR, host: String?, allocations: some Sequence<Allocation>, isDeleted: Bool = false
  ) -> Reading {
    guard !isDeleted else { return Reading(claim: nil) }
    let block = cidr.canonical
    var reading = Reading(claim: nil)
    var owners: [CIDR: String] = [:]
    if let host, !host.isEmpty { owners[block] = host }
    for allocation in allocations {
      guard block.contains(allocation.address) else {
        reading.warnings.append(.outside(allocation.address, block: block))
        continue
      }
      guard let node = allocation.node, !node.isEmpty else {
        reading.warnings.append(.noNode(allocation.address))
        continue
      }
      if node != host { owners[CIDR(host: allocation.address)] = node }
    }
    reading.claim = Claim(owners: owners)
    return reading
  }

  /// What a node's own ranges say: each is like a block of the node's with nothing borrowed.
  ///
  /// ``RouteComputation`` does this by itself in mode ``RoutingConfiguration/Mode/podCIDRs``, from the nodes it is
  /// given.
  public static func ranges(_ podCIDRs: some Sequence<CIDR>, of node: String) -> [CIDR: Claim] {
    var claims: [CIDR: Claim] = [:]
    for range in podCIDRs { claims[range.canonical] = Claim(range.canonical, node) }
    return claims
  }
}
