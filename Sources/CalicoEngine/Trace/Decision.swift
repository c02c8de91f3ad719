public import CalicoModel
public import IPAddressing

/// One decision of an operation, with the values that decided it: the answer to people who ask why.
///
/// Decisions are recorded where they are made, and only on request (``Execution/init(_:recordsDecisions:)``).
public enum Decision: Hashable, Sendable {
  /// A pool was looked at; nil when it can be used, else why it was passed over.
  case pool(ConsideredPool, PoolObstacle?)
  /// No pool of this network, of those that can be used at all, is there: the request names it.
  case requestedPoolMissing(CIDR)
  /// What becomes of a block, and what was in it; nil when that was not looked at, or cannot be told.
  case block(CIDR, BlockFate, BlockTally?)
  /// Every block of a usable pool exists already, or is reserved as a whole.
  case everyBlockExists(ConsideredPool)
  /// How many blocks the node has when it needs a new one, and how many it may have.
  case blockLimit(BlockLimit)
  /// No new blocks are claimed: `autoAllocateBlocks` is false.
  case claimsAreOff(AddressFamily)
  /// Blocks of others were not borrowed from: `strictAffinity` is true.
  case borrowingIsOff(AddressFamily)
  /// The pools were found full a moment ago by an operation of the same host, and are not searched again.
  case remembersFullPools(AddressFamily)
  /// Addresses are given out.
  case gives([IPAddress], of: CIDR, AddressSource)
  /// The addresses of a family were there, and stay where they are because another family has too few.
  case withholds(AddressFamily)
  /// The address that was asked for has an owner, or cools down.
  case addressIsTaken(IPAddress, AddressHolder)
  /// The block of the address that was asked for belongs to somebody else, and `strictAffinity` is true.
  case affinityForbids(CIDR, owner: String?)
  /// The handle has as many addresses of a family as it may have.
  case handleIsFull(String, AddressFamily, count: Int, limit: Int)
}

/// A pool as a request for one family sees it.
public struct ConsideredPool: Hashable, Sendable {
  public var name: String
  /// The range as it is written.
  public var cidr: String
  /// The prefix length of its blocks.
  public var blockSize: Int
  /// The family that is wanted, not the pool's.
  public var family: AddressFamily

  public init(_ pool: IPPool, for family: AddressFamily) {
    name = pool.name
    cidr = pool.writtenCIDR
    blockSize = pool.blockSize
    self.family = family
  }
}

/// Why a pool is of no use to a request (Calico IPAM specification, section 3.3).
public enum PoolObstacle: Hashable, Sendable {
  /// It is of the other family.
  case otherFamily
  /// Nobody can be given addresses of it.
  case unusable(IPPool.Obstacle)
  /// Its blocks have no room for what the host keeps of each; the longest prefix that would do.
  case blocksTooSmall(maximum: Int)
  /// Others are asked for.
  case notRequested
  /// It is used only where it is asked for: its `assignmentMode` is `Manual`.
  case manual
  /// Its selector does not match the node, whose labels these are.
  case nodeSelector(String, labels: [String: String])
  /// Its selector does not match the namespace, whose labels these are.
  case namespaceSelector(String, labels: [String: String])
  /// Its addresses are for other uses; what they are wanted for, and what they are for.
  case use(IPPool.AllowedUse, allowed: [IPPool.AllowedUse])
  /// It does not contain the address that is asked for.
  case doesNotContain(IPAddress)
}

/// What becomes of a block.
public enum BlockFate: Hashable, Sendable {
  /// The node's, with room.
  case own
  /// The node's, without room.
  case ownIsFull
  /// The node's, in none of the pools that the request may use.
  case outsidePools
  /// The node's, in a pool that selects the node no longer: given up when nothing is in use, otherwise only not used.
  case deselected(isGivenUp: Bool)
  /// Claimed by the node and made by somebody else: the claim is dropped.
  case claimedInVain(owner: String?)
  /// Reserved as a whole.
  case reserved
  /// The node's, and its claim, which was in this state, is confirmed.
  case confirms(BlockAffinity.State)
  /// Made now: the claim was cut off before.
  case completesClaim
  /// New, of this pool.
  case claims(pool: String)
  /// The node's by its own text, without a claim, which is made.
  case adopts
  /// Somebody else's. It can be borrowed from where that is allowed.
  case others
  /// Empty, and taken from its owner, or from nobody.
  case reclaims
  /// Empty, but claimed only at this time: its owner may be about to use it.
  case tooYoung(claimed: Timestamp?)
  /// Empty, but its owner's claim cannot be demoted, or has changed.
  case unreclaimable
}

/// How many blocks a node has, and may have.
public struct BlockLimit: Hashable, Sendable {
  public var family: AddressFamily
  /// At least so many, when there are too many to look at.
  public var owned: Int
  public var limit: Int
  /// Whether the limit is the configuration's, and not the default or the request's.
  public var isConfigured: Bool

  /// Whether there can be no more.
  public var isReached: Bool { owned >= limit }
}

/// Where addresses come from.
public enum AddressSource: Hashable, Sendable {
  /// A block that the node had.
  case own
  /// A block that the node gets for it.
  case new
  /// A block of somebody else; nil when it belongs to nobody.
  case borrowed(owner: String?)
  /// The handle had them before.
  case reused
}

/// Who has an address.
public struct AddressHolder: Hashable, Sendable {
  public var block: CIDR
  public var handleID: String?
  /// What is recorded of the owner, such as `namespace`, `node` and `pod`.
  public var attributes: [String: String]
  /// When it was given back, when it cools down.
  public var releasedAt: Timestamp?
}
