import IPAddressing

extension IPAddress {
  /// Whether another machine can send to it: not unspecified, not a loopback, multicast, broadcast or reserved address.
  var isReachableElsewhere: Bool {
    switch family {
    case .v4:
      let first = number >> 24
      return first != 0 && first != 127 && first < 224
    case .v6:
      return number > 1 && number >> 120 != 0xFF
    }
  }
}

extension AddressFamily {
  /// Both of them.
  static let all: [AddressFamily] = [.v4, .v6]

  /// The name that people know.
  var name: String { self == .v4 ? "IPv4" : "IPv6" }
}
