public import CalicoModel
public import IPAddressing

/// Addresses to be chosen and assigned (Calico IPAM specification, sections 3.0 and 3.7).
public struct AutoAssignRequest: Sendable {
  /// What is wanted of one family.
  public struct Family: Hashable, Sendable {
    public var family: AddressFamily
    /// How many addresses.
    public var count: Int
    /// The pools to take them from, in this order; empty for all that fit.
    public var pools: [CIDR]
    /// What the host keeps for itself of every block it claims.
    public var reservation: HostReservation?
    /// What earlier operations found out.
    public var memory: FamilyMemory

    public init(
      _ family: AddressFamily, count: Int, pools: [CIDR] = [], reservation: HostReservation? = nil,
      memory: FamilyMemory = FamilyMemory()
    ) {
      self.family = family
      self.count = count
      self.pools = pools
      self.reservation = reservation
      self.memory = memory
    }
  }

  /// In the order in which they are served: an error of one ends the request.
  public var families: [Family]
  /// The handle that is to own the addresses; nil for none.
  public var handleID: String?
  /// What is recorded of the owner.
  public var attributes: [String: String]
  /// The node's name.
  public var host: String
  public var use: IPPool.AllowedUse
  /// The most blocks the node may own; 0 for what is configured.
  public var maxBlocksPerHost = 0
  /// The most addresses of a family that the handle may have; 0 for any number. What it has already is given again.
  public var maxPerHandle = 0
  /// The labels of the namespace that the addresses are for.
  public var namespaceLabels: [String: String] = [:]
  /// Whether nothing is to be assigned unless everything can be.
  public var isAllOrNothing = false
  public var time: Timestamp
  /// Where the search for a new block begins.
  public var start: BlockOrder.Start

  public init(
    _ families: [Family], handleID: String?, attributes: [String: String] = [:], host: String,
    use: IPPool.AllowedUse, time: Timestamp
  ) {
    self.families = families
    self.handleID = handleID
    self.attributes = attributes
    self.host = host
    self.use = use
    self.time = time
    self.start = BlockOrder.Start(host: host)
  }

  /// Who blocks are claimed for.
  public var owner: BlockOwner { BlockOwner(use == .loadBalancer ? .virtual : .host, host) }
}

/// What earlier operations of the same host found out about one family. It saves reading, and never decides: whatever
/// it says, an address is taken only from a block that was read and is compared when it is written.
public struct FamilyMemory: Hashable, Sendable {
  /// The first block of the node, in the order of keys, that may have room: those before it were full.
  public var room: CIDR?
  /// Whether the last operation took the last address of that block.
  public var isRoomFull = false
  /// Whether all pools of such a request were found full a moment ago.
  public var isExhausted = false
  /// A number for the pools, reservations and switches with which they were found full: with others they are searched.
  public var circumstances: UInt64 = 0

  public init(
    room: CIDR? = nil, isRoomFull: Bool = false, isExhausted: Bool = false, circumstances: UInt64 = 0
  ) {
    self.room = room
    self.isRoomFull = isRoomFull
    self.isExhausted = isExhausted
    self.circumstances = circumstances
  }
}

/// An address that an operation assigned.
public struct AcquiredAddress: Hashable, Sendable {
  /// The address with its block's prefix length, or with the full length when it was the handle's already.
  public var address: CIDR
  /// The block it lies in.
  public var block: CIDR
  /// The sequence number with which it was given out.
  public var sequenceNumber: UInt64
  /// Whether the handle had it before.
  public var isReused = false
}

/// What became of a request for one family.
public struct FamilyResult: Hashable, Sendable {
  public var family: AddressFamily
  public var requested: Int
  public var addresses: [AcquiredAddress]
  /// Why there are fewer than requested.
  public var messages: [String]
  /// Whether the addresses were there, but not taken because another family had too few.
  public var isWithheld = false
  /// The handle of the host's reservation, for the message.
  public var reservationHandleID: String?

  /// Why there are fewer addresses than requested; nil when there are as many (section 3.0).
  public var shortfall: String? {
    guard addresses.count < requested, !isWithheld else { return nil }
    var text = "Assigned \(addresses.count) out of \(requested) requested IPv\(family.rawValue) addresses"
    for message in messages { text += "; " + message }
    if let reservationHandleID { text += "; HostReservedAttr: " + reservationHandleID }
    return text
  }
}

/// What became of a request.
public struct AutoAssignResult: Sendable {
  /// A result for each family that was tried and for which pools were found.
  public var families: [FamilyResult]
  /// What ended the request early.
  public var error: EngineError?
  /// What was found out for later operations, by family.
  public var memories: [AddressFamily: FamilyMemory]

  public func family(_ family: AddressFamily) -> FamilyResult? { families.first { $0.family == family } }
}
