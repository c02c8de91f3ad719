import CalicoModel
import IPAddressing

/// What one process of a history does.
enum Action: Hashable, Sendable {
  /// Chooses addresses: how many of each family, for a handle, with a hint that may be a lie.
  case autoAssign(v4: Int, v6: Int, handle: String?, AssignOptions)
  /// Assigns a named address: the place of the pool, and of the address in it.
  case assign(pool: Int, index: Int, handle: String?, limit: Int)
  case releaseByHandle([String])
  /// Releases assignments that were made once, by their place in the ledger.
  case releaseAddresses([Pick])
  case releaseAffinities(BlockSet, mustBeEmpty: Bool)
  /// Claims a block of a pool, or all of them.
  case claim(pool: Int, block: Int?)
  case ensureBlock(AddressFamily)
  case setOwner(Pick)
  /// The same by upstream's order of steps.
  case upstreamAutoAssign(v4: Int, v6: Int, handle: String?)
  case upstreamAssign(pool: Int, index: Int, handle: String?)
  case upstreamReleaseByHandle(String)
  case upstreamReleaseAddresses([Pick])
  case upstreamReleaseAffinities(mustBeEmpty: Bool)
  /// What an operator changes meanwhile.
  case operate(Change)
  /// Releases what is left at the end.
  case releaseEverything([ReleaseOption])

  struct AssignOptions: Hashable, Sendable {
    var isAllOrNothing = false
    var maxPerHandle = 0
    /// A block that the caller believes to have room: the place of the pool, and of the block in it.
    var room: Int?
    var isExhausted = false
    var requestsPool = false
  }

  /// An assignment in the ledger, and what a release demands of it.
  struct Pick: Hashable, Sendable {
    var index: Int
    var demandsHandle: Bool
    var demandsNumber: Bool
  }

  enum BlockSet: Hashable, Sendable {
    case own
    case pool(Int)
    case block(pool: Int, Int)
    case network(pool: Int)
    /// All blocks of a pool, whoever owns them; the pool is disabled before.
    case deletedPool(Int)
  }

  enum Change: Hashable, Sendable {
    case disable(pool: Int)
    case enable(pool: Int)
    case delete(pool: Int)
    case select(pool: Int, zone: Int)
    case label(node: Int, zone: Int)
    case strict(Bool)
    case cooldown(Int)
    case maximum(Int)
  }

  /// The operations' names, in the table of what was cut off.
  enum Name: String, Sendable {
    case autoAssign = "AutoAssign"
    case assign = "AssignAddress"
    case releaseByHandle = "ReleaseByHandle"
    case releaseAddresses = "ReleaseAddresses"
    case releaseAffinities = "ReleaseAffinities"
    case claim = "ClaimAffinity"
    case ensureBlock = "EnsureBlock"
    case setOwner = "SetOwnerAttributes"
    case upstreamAutoAssign = "upstream AutoAssign"
    case upstreamAssign = "upstream AssignIP"
    case upstreamReleaseByHandle = "upstream ReleaseByHandle"
    case upstreamReleaseAddresses = "upstream ReleaseIPs"
    case upstreamReleaseAffinities = "upstream ReleaseHostAffinities"
    case operate = "operator"
    case releaseEverything = "ending"
  }

  var name: Name {
    switch self {
    case .autoAssign: .autoAssign
    case .assign: .assign
    case .releaseByHandle: .releaseByHandle
    case .releaseAddresses: .releaseAddresses
    case .releaseAffinities: .releaseAffinities
    case .claim: .claim
    case .ensureBlock: .ensureBlock
    case .setOwner: .setOwner
    case .upstreamAutoAssign: .upstreamAutoAssign
    case .upstreamAssign: .upstreamAssign
    case .upstreamReleaseByHandle: .upstreamReleaseByHandle
    case .upstreamReleaseAddresses: .upstreamReleaseAddresses
    case .upstreamReleaseAffinities: .upstreamReleaseAffinities
    case .operate: .operate
    case .releaseEverything: .releaseEverything
    }
  }

  var isUpstream: Bool {
    switch self {
    case .upstreamAutoAssign, .upstreamAssign, .upstreamReleaseByHandle, .upstreamReleaseAddresses,
      .upstreamReleaseAffinities:
      true
    default: false
    }
  }

  /// Whether something may go wrong with its commits.
  var isFallible: Bool {
    switch self {
    case .operate, .releaseEverything: false
    default: true
    }
  }

  /// The handle that addresses are assigned to; nil when the operation assigns none, or without a handle.
  var handle: String? {
    switch self {
    case .autoAssign(_, _, let handle, _), .assign(_, _, let handle, _), .upstreamAutoAssign(_, _, let handle),
      .upstreamAssign(_, _, let handle):
      handle
    default: nil
    }
  }

  var assigns: Bool {
    switch self {
    case .autoAssign, .assign, .upstreamAutoAssign, .upstreamAssign: true
    default: false
    }
  }
}

/// One operation of a history.
struct Process: Hashable, Sendable {
  var id: Int
  /// The place of the node that it runs on.
  var node: Int
  /// How many nanoseconds pass before it begins; negative when the clock is set back.
  var pause: Int64
  var action: Action

  var host: String { World.node(node) }
  var owner: BlockOwner { BlockOwner(.host, host) }
}

extension Process: CustomStringConvertible {
  var description: String { "#\(id) \(host) \(action)" }
}
