public import IPAddressing

/// What an attachment was given: the content of a CNI result, whatever its version.
public struct Assignment: Hashable, Sendable {
  /// The addresses, in the order of the configuration.
  public var addresses: [AssignedAddress]
  /// Routes for the container, as configured.
  public var routes: [Route]
  /// Name resolution for the container.
  public var dns: DNSConfiguration

  public init(addresses: [AssignedAddress], routes: [Route] = [], dns: DNSConfiguration = DNSConfiguration()) {
    self.addresses = addresses
    self.routes = routes
    self.dns = dns
  }
}

/// An address with the prefix length of its subnet, and the subnet's gateway.
public struct AssignedAddress: Hashable, Sendable {
  public var address: CIDR
  public var gateway: IPAddress?

  public init(address: CIDR, gateway: IPAddress?) {
    self.address = address
    self.gateway = gateway
  }
}

/// A route that the main plugin installs in the container (CNI specification 1.1.0, section 5).
public struct Route: Hashable, Sendable {
  /// Where to; host bits are kept as configured.
  public var destination: CIDR
  /// The next hop; nil stands for the gateway of the address's family.
  public var gateway: IPAddress?
  /// Bytes; 0 means unset.
  public var mtu: Int64 = 0
  /// The TCP maximum segment size to advertise, in bytes; 0 means unset.
  public var advertisedMSS: Int64 = 0
  /// The metric; 0 means unset.
  public var priority: Int64 = 0
  public var table: Int64?
  public var scope: Int64?

  public init(destination: CIDR, gateway: IPAddress? = nil) {
    self.destination = destination
    self.gateway = gateway
  }
}

/// The DNS part of a result.
public struct DNSConfiguration: Hashable, Sendable {
  public var nameservers: [String] = []
  /// Empty when there is none.
  public var domain = ""
  public var search: [String] = []
  public var options: [String] = []

  public init() {}

  public var isEmpty: Bool { nameservers.isEmpty && domain.isEmpty && search.isEmpty && options.isEmpty }
}
