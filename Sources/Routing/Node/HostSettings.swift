import IPAddressing

/// Settings of this machine without which routes are of no use (routes specification, section 4.8). They are looked at,
/// and never changed.
public struct HostSettings: Sendable {
  /// The value of a setting by its name below `/proc/sys/net`, such as `ipv4/ip_forward`; nil where there is none.
  public typealias Reader = @Sendable (String) -> String?

  private let read: Reader

  /// The settings that a function reads.
  public init(_ read: @escaping Reader) {
    self.read = read
  }

  /// Those of a machine on which nothing stands in the way.
  public static let unknown = HostSettings { _ in nil }

  /// What stands in the way now.
  ///
  /// - Parameters:
  ///   - families: the families that this node has routes of.
  ///   - interfaces: the interfaces that packets come and go by.
  /// - Returns: by setting, what is wrong with it, or nil.
  func conditions(_ families: Set<AddressFamily>, interfaces: [String]) -> [Condition.Subject: Condition?] {
    [
      Condition.Subject(.hostSetting, "net.ipv4.ip_forward"): families.contains(.v4) ? forwarding(.v4) : nil,
      Condition.Subject(.hostSetting, "net.ipv6.conf.all.forwarding"): families.contains(.v6) ? forwarding(.v6) : nil,
      Condition.Subject(.hostSetting, "net.ipv4.conf.rp_filter"): families.contains(.v4) ? filter(interfaces) : nil,
    ]
  }

  private func forwarding(_ family: AddressFamily) -> Condition? {
    let name = family == .v4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding"
    guard read(name) == "0" else { return nil }
    let setting = family == .v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
    return Condition(
      "\(setting) is 0: packets of pods are not passed on; set it to 1, or let the network plugin do so")
  }

  /// The stricter of the two settings counts, of all interfaces and of the one (kernel documentation, ip-sysctl).
  private func filter(_ interfaces: [String]) -> Condition? {
    let common = value("all")
    let strict = interfaces.filter { max(common, value($0)) == 1 }
    guard !strict.isEmpty else { return nil }
    return Condition(
      """
      the reverse path filter (rp_filter) is strict on \(strict.joined(separator: ", ")): while a pool changes between \
      tunnel and direct routes, packets that come another way than they would go are dropped; 0 or 2 lets them pass
      """)
  }

  private func value(_ interface: String) -> Int { read("ipv4/conf/\(interface)/rp_filter").flatMap { Int($0) } ?? 0 }
}
