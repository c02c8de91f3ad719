import CNetlink
import Glibc
import IPAddressing

extension MessageBuffer {
  /// Begins a message about a link: the header and the fixed part (`ifinfomsg`).
  mutating func beginLink(
    _ type: Int, _ messageFlags: Int32, _ sequence: UInt32, family: UInt8 = 0, index: InterfaceIndex? = nil,
    isUp: Bool? = nil
  ) {
    begin(type, messageFlags, sequence: sequence)
    put(UInt32(family))
    put(index?.rawValue ?? 0)
    put(isUp == true ? UInt32(IFF_UP.rawValue) : 0)
    put(isUp == nil ? 0 : UInt32(IFF_UP.rawValue))
  }

  mutating func appendNewLink(_ link: NewLink, _ sequence: UInt32) {
    beginLink(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sequence)
    attribute(IFLA_IFNAME, link.name)
    if let hardwareAddress = link.hardwareAddress { attribute(IFLA_ADDRESS, hardwareAddress) }
    if let mtu = link.mtu { attribute(IFLA_MTU, mtu) }
    let information = beginNest(IFLA_LINKINFO)
    switch link.kind {
    case .ipip:
      attribute(IFLA_INFO_KIND, "ipip")
    case .vxlan(let settings):
      attribute(IFLA_INFO_KIND, "vxlan")
      let data = beginNest(IFLA_INFO_DATA)
      putSettings(settings)
      endNest(data)
    }
    endNest(information)
    end()
  }

  private mutating func putSettings(_ settings: VXLANSettings) {
    attribute(IFLA_VXLAN_ID, settings.identifier)
    if let lower = settings.lower { attribute(IFLA_VXLAN_LINK, lower.rawValue) }
    if let local = settings.local { putLocal(local) }
    attribute(IFLA_VXLAN_LEARNING, UInt8(settings.learns ? 1 : 0))
    attribute(IFLA_VXLAN_PORT, settings.port.bigEndian)
    if let hasChecksum = settings.hasChecksum { attribute(IFLA_VXLAN_UDP_CSUM, UInt8(hasChecksum ? 1 : 0)) }
    if settings.collectsMetadata { attribute(IFLA_VXLAN_COLLECT_METADATA, UInt8(1)) }
  }

  private mutating func putLocal(_ local: IPAddress) {
    attribute(local.family == .v4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local)
  }

  /// A VXLAN device refuses its MTU along with its own settings ("Cannot change mtu"): they are two messages then, of
  /// the same number, so that both answer for the one change. The settings go first, because the MTU that is possible
  /// depends on the lower device.
  mutating func appendLinkChange(_ index: InterfaceIndex, _ change: LinkChange, _ sequence: UInt32) {
    let hasSettings = change.vxlanLocal != nil || change.vxlanLower != nil || change.vxlanLearns != nil
    if hasSettings { appendSettings(index, change, sequence) }
    guard !hasSettings || change.isUp != nil || change.mtu != nil || change.hardwareAddress != nil else { return }
    beginLink(RTM_NEWLINK, 0, sequence, index: index, isUp: change.isUp)
    if let hardwareAddress = change.hardwareAddress { attribute(IFLA_ADDRESS, hardwareAddress) }
    if let mtu = change.mtu { attribute(IFLA_MTU, mtu) }
    end()
  }

  private mutating func appendSettings(_ index: InterfaceIndex, _ change: LinkChange, _ sequence: UInt32) {
    beginLink(RTM_NEWLINK, 0, sequence, index: index)
    let information = beginNest(IFLA_LINKINFO)
    attribute(IFLA_INFO_KIND, "vxlan")
    let data = beginNest(IFLA_INFO_DATA)
    if let lower = change.vxlanLower { attribute(IFLA_VXLAN_LINK, lower.rawValue) }
    if let local = change.vxlanLocal { putLocal(local) }
    if let learns = change.vxlanLearns { attribute(IFLA_VXLAN_LEARNING, UInt8(learns ? 1 : 0)) }
    endNest(data)
    endNest(information)
    end()
  }
}
