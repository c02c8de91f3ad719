/// What an address is in, and what a network is summed up as.
///
/// The order is that of legends: from what can be given out to what cannot.
public enum AddressUse: Int, CaseIterable, Hashable, Sendable {
  /// Not given out.
  case free
  /// Not given out either, in a block that a node holds and has nothing in use of.
  case affine
  /// Given out to the node that holds the block, or to nobody that is known.
  case used
  /// Given out to another node than the one that holds the block; also when nobody holds it (Calico IPAM specification,
  /// section 3.7).
  case borrowed
  /// Given back, and kept from being given out again for a while (section 2.7).
  case cooling
  /// Kept by an IPReservation, or by a Windows host for itself (section 2.5).
  case reserved
  /// In a block that cannot be read, so that nothing is known of it.
  case unreadable

  /// The name in legends.
  public var name: String {
    switch self {
    case .free: "free"
    case .affine: "affine, empty"
    case .used: "used"
    case .borrowed: "borrowed"
    case .cooling: "cooling down"
    case .reserved: "reserved"
    case .unreadable: "unreadable"
    }
  }

  /// What the name means, for who sees it for the first time.
  public var explanation: String {
    switch self {
    case .free: "not given out"
    case .affine: "in a block that a node holds and has nothing in use of"
    case .used: "given out to the node that holds the block"
    case .borrowed: "given out to another node than the one that holds the block"
    case .cooling: "released a short time ago and not given out again yet"
    case .reserved: "kept by an IPReservation, or by a Windows host for itself"
    case .unreadable: "in a block that cannot be read; 'ipamctl ipam check' tells why"
    }
  }

  /// Whether a legend has it although there is none: only what should never be is left out then.
  var isExpected: Bool { self != .unreadable }
}
