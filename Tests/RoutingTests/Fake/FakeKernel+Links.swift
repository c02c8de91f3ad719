import IPAddressing
import Netlink
import Routing

extension FakeKernel {
  func makeLink(_ change: KernelChange, isOwn: Bool) -> KernelRefusal? {
    switch change {
    case .createLink(let new): return create(new, isOwn: isOwn)
    case .changeLink(let index, let change): return changeLink(index, change, isOwn: isOwn)
    case .deleteLink(let index):
      guard let link = linkTable.removeValue(forKey: index) else { return KernelRefusal(errno: 19) }
      drop(link, isOwn: isOwn)
      for other in linkTable.values where other.vxlan?.lower == index {
        linkTable[other.index] = nil
        drop(other, isOwn: isOwn)
      }
    case .addAddress(let address):
      guard linkTable[address.interface] != nil else { return KernelRefusal(errno: 19) }
      guard !addressTable.contains(address) else { return nil }
      addressTable.append(address)
      if !isOwn { tell(.address(address)) }
    case .deleteAddress(let address):
      guard let position = addressTable.firstIndex(of: address) else { return KernelRefusal(errno: 99) }
      addressTable.remove(at: position)
      if !isOwn { tell(.addressGone(address)) }
      let isLast = !addressTable.contains { $0.interface == address.interface && $0.address.family == .v4 }
      if address.address.family == .v4, isLast {
        flushRoutes(of: address.interface, .v4, withObjects: false)
        neighbourTable[address.interface] = neighbourTable[address.interface]?.filter { $0.key.family == .v6 }
      }
    default: break
    }
    return nil
  }

  private func create(_ new: NewLink, isOwn: Bool) -> KernelRefusal? {
    guard link(new.name) == nil else { return KernelRefusal(errno: 17) }
    var link = Link(
      index: InterfaceIndex(nextIndex), name: new.name, isUp: false, isRunning: false, mtu: new.mtu ?? 1480,
      hardwareAddress: new.hardwareAddress)
    switch new.kind {
    case .ipip: link.kind = "ipip"
    case .vxlan(let settings):
      let isTaken = linkTable.values.contains {
        $0.vxlan?.identifier == settings.identifier && $0.vxlan?.port == settings.port
          && $0.vxlan?.local?.family == settings.local?.family
      }
      if isTaken {
        return KernelRefusal(errno: 17, explanation: "A VXLAN device with the specified VNI already exists")
      }
      link.kind = "vxlan"
      link.vxlan = settings
      link.lower = settings.lower
    }
    nextIndex += 1
    linkTable[link.index] = link
    if !isOwn { tell(.link(link)) }
    return nil
  }

  private func changeLink(_ index: InterfaceIndex, _ change: LinkChange, isOwn: Bool) -> KernelRefusal? {
    guard var link = linkTable[index] else { return KernelRefusal(errno: 19) }
    let old = link
    if let mtu = change.mtu {
      if let lower = link.vxlan?.lower, let parent = linkTable[lower] {
        let overhead: UInt32 = link.vxlan?.local?.family == .v6 ? 70 : 50
        guard mtu + overhead <= parent.mtu else { return KernelRefusal(errno: 22) }
      }
      link.mtu = mtu
    }
    if let address = change.hardwareAddress { link.hardwareAddress = address }
    if let local = change.vxlanLocal { link.vxlan?.local = local }
    if let lower = change.vxlanLower {
      link.vxlan?.lower = lower
      link.lower = lower
    }
    if let learns = change.vxlanLearns { link.vxlan?.learns = learns }
    if let isUp = change.isUp {
      link.isUp = isUp
      link.isRunning = isUp
    }
    linkTable[index] = link
    if old != link, !isOwn { tell(.link(link)) }
    if old.isUp, !link.isUp { wentDown(index) }
    if old.hardwareAddress != link.hardwareAddress {
      neighbourTable[index] = neighbourTable[index]?.filter { $0.key.family == .v6 }
    }
    return nil
  }

  private func wentDown(_ index: InterfaceIndex) {
    for family in [AddressFamily.v4, .v6] { flushRoutes(of: index, family, withObjects: true) }
    objects = objects.filter { $0.value.hop?.interface != index }
    neighbourTable[index] = nil
    for address in addressTable where address.interface == index && address.address.family == .v6 {
      addressTable.removeAll { $0 == address }
      tell(.addressGone(address))
    }
  }

  /// The carrier goes: routes stay, objects and what goes through them do not.
  func loseCarrier(_ index: InterfaceIndex) {
    guard var link = linkTable[index] else { return }
    link.isRunning = false
    linkTable[index] = link
    tell(.link(link))
    let ids = Set(objects.filter { $0.value.hop?.interface == index }.keys)
    for (key, routes) in routeTable {
      let kept = routes.filter { !($0.nextHopID.map(ids.contains) ?? false) }
      routeTable[key] = kept.isEmpty ? nil : kept
    }
    objects = objects.filter { !ids.contains($0.key) }
  }

  private func drop(_ link: Link, isOwn: Bool) {
    for family in [AddressFamily.v4, .v6] { flushRoutes(of: link.index, family, withObjects: true) }
    objects = objects.filter { $0.value.hop?.interface != link.index }
    neighbourTable[link.index] = nil
    forwardingTable[link.index] = nil
    addressTable.removeAll { $0.interface == link.index }
    if !isOwn { tell(.linkGone(link)) }
  }

  func makeNeighbour(_ change: KernelChange, isOwn: Bool) -> KernelRefusal? {
    switch change {
    case .replaceNeighbour(let neighbour):
      guard let link = linkTable[neighbour.interface] else { return KernelRefusal(errno: 19) }
      guard link.isUp else { return KernelRefusal(errno: 100) }
      neighbourTable[neighbour.interface, default: [:]][neighbour.address] = neighbour
    case .deleteNeighbour(let neighbour):
      guard neighbourTable[neighbour.interface]?.removeValue(forKey: neighbour.address) != nil else {
        return KernelRefusal(errno: 2)
      }
    case .replaceForwarding(let entry):
      guard linkTable[entry.interface] != nil else { return KernelRefusal(errno: 19) }
      forwardingTable[entry.interface, default: [:]][entry.hardwareAddress] = entry
    case .deleteForwarding(let entry):
      let present = forwardingTable[entry.interface]?[entry.hardwareAddress]
      guard present != nil else { return KernelRefusal(errno: 2) }
      // With another destination it is success, and nothing is removed.
      if present?.destination == entry.destination {
        forwardingTable[entry.interface]?[entry.hardwareAddress] = nil
      }
    case .replaceNextHop(let object):
      if let refusal = object.hop.flatMap(validate) { return refusal }
      objects[object.id] = object
      if !isOwn { tell(.nextHop(object)) }
    case .deleteNextHop(let id):
      guard let object = objects.removeValue(forKey: id) else { return KernelRefusal(errno: 2) }
      for (key, routes) in routeTable {
        let kept = routes.filter { $0.nextHopID != id }
        routeTable[key] = kept.isEmpty ? nil : kept
      }
      if !isOwn { tell(.nextHopGone(object)) }
    default: break
    }
    return nil
  }
}
