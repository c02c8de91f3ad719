/// How to reach an etcd cluster (front-end specification, sections 7.1 and 7.3).
public struct EtcdSettings: Hashable, Sendable {
  /// URLs such as `https://10.0.0.1:2379`, as they were written.
  public var endpoints: [String] = []
  /// The domain whose SRV records name the endpoints; empty for none.
  public var discoveryDomain = ""
  /// Used only together with ``password``.
  public var username = ""
  public var password = ""
  /// The client's private key; nil for none.
  public var key: PEMSource?
  /// The client's certificate chain; nil for none.
  public var certificate: PEMSource?
  /// Who signed the servers' certificates; nil for the system's authorities.
  public var authority: PEMSource?

  public init() {}
}
