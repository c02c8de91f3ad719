import IPAddressing
import Netlink

/// What is to be done next about a tunnel device: a pure function of what is wanted and what is there.
///
/// A device is changed in place as far as the kernel can; only its kind, network identifier, port and checksums make it be
/// made anew, which loses its routes for a moment (routes specification, R-29). One step may need another look before the
/// next, since a new device has an index that only the kernel knows.
enum DevicePlan: Hashable, Sendable {
  /// All is as it should be.
  case ready
  /// To be made, in this order.
  case changes([KernelChange])
  /// Nothing can be done now, for this reason.
  case blocked(Condition.Subject, Condition)
  /// Somebody else has to make the device, and did not yet.
  case waiting
}

/// What a device is planned from.
struct DeviceInputs: Sendable {
  var role: InterfaceRole
  var wanted: DesiredDevice
  var name: String
  /// The interface with the node's own address of the device's family.
  var parent: Link?
  var interfaces: InterfaceTable
  var configuration: RoutingConfiguration
  /// A test's stand-in for an IPIP device, where the kernel makes none.
  var acceptedKinds: Set<String> = []

  private var link: Link? { interfaces[name] }

  private var family: AddressFamily {
    if case .vxlan(let family) = role { family } else { .v4 }
  }

  private var mtu: UInt32 {
    DeviceMTU.wanted(role, parent: parent, links: interfaces.links.values, configuration)
  }

  /// What a VXLAN device is to be set to; nil for another role, or without a parent.
  private var settings: VXLANSettings? {
    guard case .vxlan = role, let parent, let underlay = wanted.underlay else { return nil }
    return VXLANSettings(
      identifier: configuration.vxlanIdentifier, port: configuration.vxlanPort, local: underlay, lower: parent.index)
  }

  private var isVXLAN: Bool { if case .vxlan = role { true } else { false } }

  /// The next step.
  func plan() -> DevicePlan {
    guard configuration.managesDevices else { return link?.isUp == true ? .ready : .waiting }
    if isVXLAN, settings == nil {
      return .blocked(
        Condition.Subject(.noParent, name),
        Condition(
          wanted.underlay.map { "no interface has this node's address \($0), so \(name) has nothing to send through" }
            ?? "this node has no \(family == .v4 ? "IPv4" : "IPv6") address for \(name) to send from"))
    }
    guard let link else { return .changes([.createLink(creation)]) }
    if let reason = replacementReason(link) {
      // The device that the kernel makes for the whole namespace stays when it is deleted.
      guard isVXLAN else {
        return .blocked(
          Condition.Subject(.device, name),
          Condition("\(name) is \(reason); remove it or configure another name for the IPIP device"))
      }
      return .changes([.deleteLink(link.index), .createLink(creation)])
    }
    let changes = changesInPlace(link)
    return changes.isEmpty ? .ready : .changes(changes)
  }

  private var creation: NewLink {
    guard let settings else { return NewLink(name: name, kind: .ipip) }
    return NewLink(name: name, kind: .vxlan(settings), mtu: mtu, hardwareAddress: wanted.hardwareAddress)
  }

  /// Why a device of our name cannot be made into the right one; nil if it can.
  private func replacementReason(_ link: Link) -> String? {
    let kind = isVXLAN ? "vxlan" : "ipip"
    if link.kind != kind, !acceptedKinds.contains(link.kind ?? "") {
      return "of the kind \(link.kind ?? "of hardware"), not \(kind)"
    }
    guard isVXLAN else { return nil }
    guard let settings = link.vxlan else { return "without VXLAN settings" }
    if settings.identifier != configuration.vxlanIdentifier { return "set to network \(settings.identifier)" }
    if settings.port != configuration.vxlanPort { return "set to port \(settings.port)" }
    if settings.collectsMetadata { return "controlled from outside" }
    if family == .v4, settings.hasChecksum == false { return "without checksums" }
    return nil
  }

  private func changesInPlace(_ link: Link) -> [KernelChange] {
    var changes: [KernelChange] = []
    if let settings {
      var change = LinkChange()
      if link.vxlan?.local != settings.local { change.vxlanLocal = settings.local }
      if link.vxlan?.lower != settings.lower { change.vxlanLower = settings.lower }
      if link.vxlan?.learns != false { change.vxlanLearns = false }
      if change != LinkChange() { changes.append(.changeLink(link.index, change)) }
      if let wanted = wanted.hardwareAddress, link.hardwareAddress != wanted {
        changes.append(.changeLink(link.index, LinkChange(hardwareAddress: wanted)))
      }
    }
    if link.mtu != mtu { changes.append(.changeLink(link.index, LinkChange(mtu: mtu))) }
    if !link.isUp { changes.append(.changeLink(link.index, LinkChange(isUp: true))) }
    return changes + addressChanges(link)
  }

  /// The new address first, and the old ones only when it is there: with the last address the kernel drops every route
  /// and neighbour of the device (R-30).
  private func addressChanges(_ link: Link) -> [KernelChange] {
    guard let address = wanted.address else { return [] }
    let present = interfaces.addresses[link.index]?.filter { $0.address.family == family && !$0.isLinkLocal } ?? []
    let length = family.bitWidth
    guard present.contains(where: { $0.address == address && $0.prefixLength == length }) else {
      return [.addAddress(InterfaceAddress(interface: link.index, address: address, prefixLength: length))]
    }
    return
      present
      .filter { $0.address != address || $0.prefixLength != length }
      .sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
      .map { .deleteAddress($0) }
  }

  /// What is to be done about a device that is not wanted any more: one of ours goes, `tunl0` only loses its addresses
  /// (section 4.1).
  ///
  /// - Parameter wasMade: whether this agent made it.
  /// - Returns: the changes, none for a device that is somebody else's.
  func removal(wasMade: Bool) -> [KernelChange] {
    guard configuration.managesDevices, let link else { return [] }
    guard isVXLAN else {
      guard link.kind == "ipip" || acceptedKinds.contains(link.kind ?? "") else { return [] }
      return (interfaces.addresses[link.index] ?? [])
        .filter { $0.address.family == .v4 }
        .sorted { $0.address < $1.address }
        .map { .deleteAddress($0) }
    }
    let isOurs =
      wasMade
      || link.kind == "vxlan" && link.vxlan?.identifier == configuration.vxlanIdentifier
        && link.vxlan?.port == configuration.vxlanPort
    return isOurs ? [.deleteLink(link.index)] : []
  }
}
