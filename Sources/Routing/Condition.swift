/// Something that keeps the node from being as it should be, for as long as it does. It is logged when it begins and
/// when it ends, never in between.
public struct Condition: Hashable, Sendable {
  /// What a condition is about: one subject has one condition at a time.
  public struct Subject: Hashable, Sendable {
    public var kind: Kind
    /// The destination, node, device or object, as people write it.
    public var name: String

    public init(_ kind: Kind, _ name: String) {
      self.kind = kind
      self.name = name
    }
  }

  /// The kinds, by the names that status and metrics use.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A node cannot be reached directly, and its pool is not encapsulated.
    case offSubnet = "OffSubnet"
    /// A node is unknown, or has no address of the family.
    case unresolved = "Unresolved"
    /// A destination that must not be programmed: an address of a node, or one that would send the tunnel's own packets
    /// into the tunnel.
    case guarded = "Guarded"
    /// A pod of this node has the address that a route to another node is for.
    case localWorkload = "LocalWorkload"
    /// Somebody else programs the destination.
    case foreign = "Foreign"
    /// Removals are held back until they are confirmed.
    case deletionsHeld = "DeletionsHeld"
    /// The kernel has no such encapsulation.
    case encapsulationUnsupported = "EncapsulationUnsupported"
    /// A tunnel device cannot be made or set up.
    case device = "Device"
    /// This node cannot be given its addresses on tunnels.
    case tunnelAddress = "TunnelAddress"
    /// What is in the datastore of this node cannot be brought up to date.
    case datastore = "Datastore"
    /// The interface with the node's own address was not found.
    case noParent = "NoParent"
    /// The kernel refuses a change.
    case refused = "Refused"
    /// The right to change routes is missing.
    case notPermitted = "NotPermitted"
    /// The source of routes cannot be read.
    case sourceInterrupted = "SourceInterrupted"
    /// An object in the datastore is malformed, or contradicts another.
    case malformed = "Malformed"
    /// A setting of this machine stands in the way: forwarding, filters (section 4.8).
    case hostSetting = "HostSetting"
  }

  /// What is wrong, and what to do about it.
  public var message: String

  public init(_ message: String) {
    self.message = message
  }
}
