public import IPAddressing

/// A window of a subnet that addresses are given from.
public struct AllocationRange: Hashable, Sendable, CustomStringConvertible {
  /// The subnet, whose prefix length results carry. It has no host bits.
  public let subnet: CIDR
  /// The addresses of the window, both ends included; always within the subnet.
  public let window: AddressRange
  /// Never given out, if it lies in the window; may lie anywhere, even in the other family.
  public let gateway: IPAddress

  /// The address behind `address` in the window; nil behind the last one.
  public func successor(of address: IPAddress) -> IPAddress? {
    guard address < window.last else { return nil }
    return address.advanced(by: 1)
  }

  /// How many addresses can be given out.
  public var capacity: UInt128 {
    window.contains(gateway) ? window.count - 1 : window.count
  }

  /// `first-last`.
  public var description: String { window.description }

  /// Whether an end of one range lies in the other; ranges of different families never overlap.
  func overlaps(_ other: AllocationRange) -> Bool {
    window.contains(other.window.first) || window.contains(other.window.last)
      || other.window.contains(window.first) || other.window.contains(window.last)
  }
}

extension AllocationRange {
  /// Validates a range and fills in its defaults, in upstream's order (host-local specification, section 2.4).
  ///
  /// Upstream takes a start above the default end and then walks out of the subnet; here that is refused.
  init(validating written: WrittenRange) throws(HostLocalError) {
    guard let writtenSubnet = written.subnet else { throw Self.invalid("IP <nil> not v4 nor v6") }
    let subnet = writtenSubnet.normalized
    guard writtenSubnet.prefixLength <= (writtenSubnet.isMapped ? 128 : subnet.address.family.bitWidth) - 2 else {
      throw Self.invalid("Network \(subnet) too small to allocate from")
    }
    guard !writtenSubnet.isMapped else { throw Self.invalid("IPNet IP and Mask version mismatch") }
    guard !subnet.hasHostBits else {
      throw Self.invalid(
        "Network has host bits set. For a subnet mask of length \(subnet.prefixLength) the network address is "
          + "\(subnet.network)"
      )
    }
    // A subnet has at least two host bits, so the neighbours of its ends lie in it.
    let afterNetwork = subnet.network.advanced(by: 1) ?? subnet.network
    let lastUsable =
      subnet.address.family == .v4 ? IPAddress(.v4, number: subnet.last.number - 1) ?? subnet.last : subnet.last
    let outside = { (name: String, address: IPAddress) in
      Self.invalid("\(name) \(address) not in network \(subnet)")
    }
    let first = written.first ?? afterNetwork
    if let start = written.first {
      // An end of the other family is not above or below anything; it is refused as the end that it is.
      let isAboveEnd = written.last.map { $0.family == start.family && start > $0 } ?? false
      guard subnet.contains(start), !isAboveEnd else { throw outside("RangeStart", start) }
    }
    if let end = written.last {
      guard subnet.contains(end), end >= first else { throw outside("RangeEnd", end) }
    }
    let last = written.last ?? lastUsable
    guard let window = AddressRange(first, through: last) else {
      throw Self.invalid("RangeStart \(first) not in network \(subnet): its last address for use is \(last)")
    }
    self.subnet = subnet
    self.window = window
    self.gateway = written.gateway ?? afterNetwork
  }

  private static func invalid(_ message: String) -> HostLocalError { HostLocalError(.configuration, message) }
}
