import CNetlink
import Glibc
import IPAddressing

extension Link {
  /// Reads a link from a message (`ifinfomsg` and attributes); nil for one of another family: a bridge tells of its ports
  /// in messages of the same type, and of a port that leaves it as of a link that is gone.
  init?(message: ByteView) throws(MalformedMessage) {
    guard
      let family: UInt8 = message.integer(at: 0),
      let index: UInt32 = message.integer(at: 4),
      let flags: UInt32 = message.integer(at: 8),
      message.count >= 16
    else { throw MalformedMessage() }
    guard family == 0 else { return nil }
    self.init(
      index: InterfaceIndex(index), name: "", isUp: flags & UInt32(IFF_UP.rawValue) != 0,
      isRunning: flags & UInt32(IFF_RUNNING.rawValue) != 0, mtu: 0)
    var isLowerElsewhere = false
    try message.forEachAttribute(from: 16) { type, value throws(MalformedMessage) in
      switch type {
      case IFLA_IFNAME: name = value.text
      case IFLA_MTU: mtu = try value.number()
      case IFLA_ADDRESS: hardwareAddress = HardwareAddress(octets: value.bytes)
      case IFLA_LINK:
        let number: UInt32 = try value.number()
        lower = number == 0 ? nil : InterfaceIndex(number)
      case IFLA_LINK_NETNSID: isLowerElsewhere = true
      case IFLA_LINKINFO: try takeInformation(value)
      default: break
      }
    }
    // The number of a device in another namespace says nothing in this one.
    if isLowerElsewhere { lower = nil }
  }

  private mutating func takeInformation(_ information: ByteView) throws(MalformedMessage) {
    var data: ByteView?
    try information.forEachAttribute { type, value throws(MalformedMessage) in
      switch type {
      case IFLA_INFO_KIND: kind = value.text
      case IFLA_INFO_DATA: data = value
      default: break
      }
    }
    if kind == "vxlan", let data { vxlan = try VXLANSettings(data: data) }
  }
}

extension VXLANSettings {
  fileprivate init(data: ByteView) throws(MalformedMessage) {
    // A device that learns says so; one that says nothing is taken to be as the kernel makes it.
    self.init(identifier: 0, port: 0, local: nil, lower: nil, learns: true)
    try data.forEachAttribute { type, value throws(MalformedMessage) in
      switch type {
      case IFLA_VXLAN_ID: identifier = try value.number()
      case IFLA_VXLAN_PORT: port = UInt16(bigEndian: try value.number())
      case IFLA_VXLAN_LOCAL: local = try value.address(.v4)
      case IFLA_VXLAN_LOCAL6: local = try value.address(.v6)
      case IFLA_VXLAN_LINK:
        let number: UInt32 = try value.number()
        lower = number == 0 ? nil : InterfaceIndex(number)
      case IFLA_VXLAN_LEARNING: learns = try value.number(as: UInt8.self) != 0
      case IFLA_VXLAN_UDP_CSUM: hasChecksum = try value.number(as: UInt8.self) != 0
      case IFLA_VXLAN_COLLECT_METADATA: collectsMetadata = try value.number(as: UInt8.self) != 0
      default: break
      }
    }
  }
}

extension InterfaceAddress {
  /// Reads an address from a message (`ifaddrmsg` and attributes); nil for one of another family.
  init?(message: ByteView) throws(MalformedMessage) {
    guard
      let family: UInt8 = message.integer(at: 0),
      let prefixLength: UInt8 = message.integer(at: 1),
      let scope: UInt8 = message.integer(at: 3),
      let interface: UInt32 = message.integer(at: 4)
    else { throw MalformedMessage() }
    guard let family = AddressFamily(number: family) else { return nil }
    var local: IPAddress?
    var address: IPAddress?
    try message.forEachAttribute(from: 8) { type, value throws(MalformedMessage) in
      switch type {
      case IFA_LOCAL: local = try value.address(family)
      case IFA_ADDRESS: address = try value.address(family)
      default: break
      }
    }
    // Between two points, the other one is that of the peer.
    guard let address = local ?? address, Int(prefixLength) <= family.bitWidth else { throw MalformedMessage() }
    self.init(
      interface: InterfaceIndex(interface), address: address, prefixLength: Int(prefixLength), scope: scope)
  }
}
