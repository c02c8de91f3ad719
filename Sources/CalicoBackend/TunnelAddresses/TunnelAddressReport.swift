public import IPAddressing

/// What became of a node's tunnel addresses.
public struct TunnelAddressReport: Hashable, Sendable {
  /// The addresses that the node has now.
  public var addresses: [TunnelAddressKind: IPAddress]
  /// What was done, a sentence each; empty when everything was as it should be.
  public var changes: [String]

  public init(addresses: [TunnelAddressKind: IPAddress] = [:], changes: [String] = []) {
    self.addresses = addresses
    self.changes = changes
  }
}
