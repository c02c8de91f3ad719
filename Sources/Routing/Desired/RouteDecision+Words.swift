import IPAddressing

extension RouteDecision: CustomStringConvertible {
  /// The decision in words: whose the destination is, by what, in which pool, and why it has this route or none.
  public var description: String {
    var words = "\(destination) "
    if let owner {
      words += "is \(owner)'s"
      if let claim { words += claim == destination ? " as a whole" : " by \(claim)" }
    } else {
      words += "is no node's"
    }
    if let pool { words += ", in pool \(pool)\(kind)" }
    words += ": \(explanation)"
    if let contradiction { words += "; \(contradiction)" }
    return words
  }

  private var kind: String {
    guard let routeClass else { return "" }
    let name =
      switch routeClass {
      case .vxlan: "VXLAN"
      case .ipip: "IPIP"
      case .unencapsulated: "unencapsulated"
      }
    return " (\(name)\(isCrossSubnet ? " across subnets" : ""))"
  }

  /// Why there is this route or none.
  public var explanation: String {
    let owner = owner ?? "nobody"
    return switch reason {
    case .unclaimed: "no block, range or tunnel address says whose it is, so there is no route"
    case .noPool: "it is in no pool, so there is no route"
    case .loadBalancers: "the pool is for load balancers only, so there is no route"
    case .ipipOverIPv6: "the pool wants IPIP, which carries IPv4 only, so there is no route"
    case .classNotProgrammed: "routes of this class are left to another program (programClasses)"
    case .ownAddress: "it is a single address of this node, and the pod's own route leads there"
    case .ownRange: "it is this node's own range, which needs no route"
    case .virtualOwner: "\(owner) is no node, so there is no route"
    case .unknownNode: "node \(owner) is not in the datastore, so there is no route"
    case .noUnderlay: "node \(owner) has no usable \(destination.address.family.name) address, so there is no route"
    case .ownUnderlay(let address): "node \(owner) has this node's own address \(address), so there is no route"
    case .hostAddress(let node): "it is the own address of node \(node), to which pods' routes never lead"
    case .covers(let address, let node?): "the address \(address) of node \(node) is in it, and would be out of reach"
    case .covers(let address, nil): "the default router \(address) is in it, and would be out of reach"
    case .localWorkload: "a pod of this node has the address, so the route to \(owner) is held back"
    case .noTunnelEnd(let what): "\(what), so there is no route"
    case .offSubnet(let distance): "\(distance.words(owner)), and packets are not wrapped, so there is no route"
    case .ownBlock: "it is a block of this node: what no pod has is dropped"
    case .direct: "\(owner) is on this node's link"
    case .assumedOnLink: "\(owner) is taken to be on this node's link (offSubnetPolicy)"
    case .viaRouter: "through the router that leads to \(owner) (offSubnetPolicy)"
    case .tunnelAlways: "through the tunnel, as always in this pool"
    case .tunnelAcross(let distance): "through the tunnel, because \(distance.words(owner))"
    }
  }

  /// Who else is named for the destination.
  var contradiction: String? {
    guard !contradictions.isEmpty else { return nil }
    let others = contradictions.map { other in
      "\(other.owner) (\(other.claim.map { "by \($0)" } ?? "as its tunnel address"))"
    }
    return "it is claimed for \(others.joined(separator: ", ")) as well"
  }
}

extension Distance {
  /// What lies between this node and another.
  func words(_ node: String) -> String {
    switch self {
    case .ownAddressUnknown: "this node's own address is not known"
    case .noParent: "no interface has this node's own address"
    case .otherSubnet(let subnet): "\(node) is not in this node's subnet \(subnet)"
    case .notLookedUp: "the way to \(node) has not been looked up yet"
    case .router(let router, _): "\(node) is behind router \(router)"
    case .otherInterface(let interface):
      "\(node) is on the link of interface \(interface), which does not have this node's own address"
    case .unreachable: "the kernel knows no way to \(node)"
    }
  }
}

extension TunnelEndMissing {
  /// What is missing of a node.
  func words(_ node: String, _ family: AddressFamily) -> String {
    switch self {
    case .noUnderlay: "node \(node) has no usable \(family.name) address"
    case .ownUnderlay(let address): "node \(node) has this node's own address \(address)"
    case .noTunnelAddress: "node \(node) has no \(family.name) VXLAN tunnel address"
    case .hardwareAddressUnusable: "the hardware address that node \(node) names is none a device can have"
    case .hostAddress(let address, let other):
      "the tunnel address \(address) of node \(node) is node \(other)'s own address"
    case .sameTunnelAddress(let address, let other):
      "nodes \(other) and \(node) both have the tunnel address \(address)"
    case .sameHardwareAddress(let address, let other):
      "the tunnel devices of nodes \(other) and \(node) have the same hardware address \(address)"
    }
  }
}
