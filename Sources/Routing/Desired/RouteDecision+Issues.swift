import IPAddressing

extension RouteDecision {
  /// What of the decision is to be reported: what people have to put right.
  var issues: [ConditionLedger.Issue] {
    var issues: [ConditionLedger.Issue] = []
    if let contradiction {
      let message = "\(destination) is taken as \(owner ?? "nobody")'s; \(contradiction): correct what is wrong"
      issues.append(.init(.malformed, "\(destination)", message))
    }
    if let obstacle { issues.append(obstacle) }
    return issues
  }

  /// What stands in the way of the route, where that is a mistake or a want: by destination if it is the destination's,
  /// by node if it concerns all that the node has.
  private var obstacle: ConditionLedger.Issue? {
    let owner = owner ?? ""
    let family = destination.address.family.name
    switch reason {
    case .unknownNode:
      let message = """
        node \(owner) has addresses for pods but is not in the datastore: they have no routes until it is; add the \
        node, or release what it left
        """
      return .init(.unresolved, owner, message)
    case .noUnderlay:
      let message = """
        node \(owner) has \(family) addresses for pods but no usable \(family) address of its own: they have no \
        routes; add it to the node
        """
      return .init(.unresolved, owner, message)
    case .noTunnelEnd(let what):
      return .init(.unresolved, owner, "\(what): its pods' \(family) addresses have no routes through the tunnel")
    case .ownUnderlay(let address):
      let message = "node \(owner) has this node's own address \(address): correct one of the two nodes"
      return .init(.guarded, owner, message)
    case .hostAddress, .covers:
      let message = "\(destination) has no route: \(explanation); keep the addresses of pools and nodes apart"
      return .init(.guarded, "\(destination)", message)
    case .localWorkload:
      let message = """
        a pod of this node has \(destination), which is recorded as \(owner)'s: the route there is held back; release \
        the address where it is not in use
        """
      return .init(.localWorkload, "\(destination)", message)
    case .offSubnet(let distance):
      return offSubnet(distance, owner, family)
    case .unclaimed, .noPool, .loadBalancers, .ipipOverIPv6, .classNotProgrammed, .ownAddress, .ownRange, .virtualOwner,
      .ownBlock, .direct, .assumedOnLink, .viaRouter, .tunnelAlways, .tunnelAcross:
      return nil
    }
  }

  private func offSubnet(_ distance: Distance, _ owner: String, _ family: String) -> ConditionLedger.Issue? {
    switch distance {
    // Whoever does the look-ups is about to.
    case .notLookedUp: return nil
    case .noParent:
      let message = "unencapsulated routes over \(family) are left out while no interface has this node's own address"
      return .init(.noParent, family, message)
    case .ownAddressUnknown, .otherSubnet, .router, .otherInterface, .unreachable:
      let message = """
        \(distance.words(owner)): unencapsulated \(family) routes to it are left out; set the pool's encapsulation to \
        CrossSubnet, or choose another offSubnetPolicy
        """
      return .init(.offSubnet, owner, message)
    }
  }
}
