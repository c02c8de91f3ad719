import CalicoModel
import Datastore
import IPAddressing

/// What an operation knows of the datastore while it plans, decoded once, and the counts that it must still settle.
///
/// Every look-up of something that was not read throws ``Halt/read(_:)``.
public struct Planner: Sendable {
  private var entries: [Key: Stored?] = [:]
  private var lists: [Listing: ListResult] = [:]
  private var decodedBlocks: [CIDR: IPAMBlock] = [:]
  private var keySets: [Listing: Set<CIDR>] = [:]
  private var decodedPools: [IPPool]?
  private var decodedConfiguration: IPAMConfiguration?
  private var decodedReservations: ReservedAddresses?
  /// Addresses that handles count although no block holds them for this operation: an earlier commit ended half way.
  var surpluses: [HandleCount] = []
  /// Nanoseconds since the operation's time.
  var elapsed: Int64 = 0
  /// Why it was planned so; nil when nobody wants to know.
  var trace: DecisionTrace?

  public init() {}

  /// A block that is about to be made, numbered by the time of its making: if it was made and deleted since the
  /// operation began, it had lower numbers (specification section 6.1, I8).
  func newBlock(
    _ cidr: CIDR, of owner: BlockOwner, since time: Timestamp, _ reservation: HostReservation? = nil
  ) -> IPAMBlock {
    IPAMBlock(
      cidr: cidr, owner: owner, time: Timestamp(nanoseconds: time.nanoseconds + max(0, elapsed)),
      reservation: reservation)
  }

  // MARK: - Reading

  /// Takes in what was read.
  mutating func merge(_ reads: [Read], _ results: [ReadResult]) {
    for (read, result) in zip(reads, results) {
      switch (read, result) {
      case (.entry(let key), .entry(let stored)):
        entries[key] = .some(stored)
        if case .block(let cidr) = key { decodedBlocks[cidr] = nil }
      case (.list(let listing), .list(let list)):
        lists[listing] = list
        keySets[listing] = nil
        guard listing.contents == .values else { continue }
        switch listing.scope {
        case .affinities, .allAffinities, .handles:
          for item in list.items { entries[item.key] = .some(item.stored) }
        case .blocks, .resources: break
        }
      default: break
      }
    }
  }

  /// Forgets entries that somebody else has changed, and the lists that may name others by now. Handles are forgotten
  /// all: one that was not there, or counted too little, was no part of the plan, and nobody has compared it. What
  /// people configure stays as the operation first saw it.
  mutating func forget(_ keys: some Sequence<Key>) {
    for key in keys {
      entries[key] = nil
      if case .block(let cidr) = key { decodedBlocks[cidr] = nil }
    }
    for case .handle(let name) in entries.keys { entries[.handle(name)] = nil }
    for listing in lists.keys {
      switch listing.scope {
      case .resources: break
      case .blocks, .affinities, .allAffinities, .handles:
        lists[listing] = nil
        keySets[listing] = nil
      }
    }
  }

  /// Forgets what people configure: a driver has found that it is not what it was told to be.
  mutating func forgetResources() {
    lists = lists.filter { if case .resources = $0.key.scope { false } else { true } }
    entries = entries.filter { if case .resource = $0.key { false } else { true } }
    (decodedPools, decodedReservations) = (nil, nil)
  }

  /// Drops the contents of blocks that turned out not to be of use, so that a walk through a large pool keeps little.
  mutating func drop(_ cidr: CIDR) {
    entries[.block(cidr)] = nil
    decodedBlocks[cidr] = nil
  }

  /// Demands that everything in a batch is known, and reads together what is not.
  func require(_ reads: [Read]) throws(Halt) {
    let unknown = reads.filter { !isKnown($0) }
    if !unknown.isEmpty { throw .read(unknown) }
  }

  func isKnown(_ read: Read) -> Bool {
    switch read {
    case .entry(let key): entries[key] != nil || isMissingInList(key)
    case .list(let listing): lists[listing] != nil
    }
  }

  /// An entry, or nil when there is none.
  func entry(_ key: Key) throws(Halt) -> Stored? {
    guard let stored = entries[key] else {
      if isMissingInList(key) { return nil }
      throw .read([.entry(key)])
    }
    return stored
  }

  /// Whether there is no such affinity because a list of all that its owner has does not name it.
  private func isMissingInList(_ key: Key) -> Bool {
    guard case .affinity(let owner, let cidr) = key else { return false }
    return lists.contains { listing, list in
      guard case .affinities(owner, let family) = listing.scope, listing.contents == .values else { return false }
      return listing.after == nil && !list.hasMore && (family ?? cidr.address.family) == cidr.address.family
    }
  }

  func list(_ listing: Listing) throws(Halt) -> ListResult {
    guard let list = lists[listing] else { throw .read([.list(listing)]) }
    return list
  }

  /// The blocks that a list names.
  mutating func keys(_ listing: Listing) throws(Halt) -> Set<CIDR> {
    if let keys = keySets[listing] { return keys }
    var keys: Set<CIDR> = []
    for item in try list(listing).items {
      if case .block(let cidr) = item.key { keys.insert(cidr) }
    }
    keySets[listing] = keys
    return keys
  }

  // MARK: - Values

  /// The configuration, or what holds without one.
  mutating func configuration() throws(Halt) -> IPAMConfiguration {
    if let decodedConfiguration { return decodedConfiguration }
    guard let stored = try entry(.configuration) else {
      decodedConfiguration = IPAMConfiguration()
      return IPAMConfiguration()
    }
    let configuration = try Self.decoded(.configuration) { () throws(ModelError) in try stored.configuration() }
    decodedConfiguration = configuration
    return configuration
  }

  static let allPools = Listing(.resources(.ipPool))
  static let allReservations = Listing(.resources(.ipReservation))

  /// All pools, sorted by name.
  mutating func pools() throws(Halt) -> [IPPool] {
    if let decodedPools { return decodedPools }
    var pools: [IPPool] = []
    for item in try list(Self.allPools).items {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      pools.append(
        try Self.decoded(item.key) { () throws(ModelError) in
          try IPPool(decoding: stored.bytes, name: name)
        })
    }
    decodedPools = pools
    return pools
  }

  /// The pools that addresses of a family can be assigned from, sorted by name.
  mutating func enabledPools(_ family: AddressFamily) throws(Halt) -> [IPPool] {
    try pools().filter { pool in
      guard pool.isEnabled else {
        note(pool, for: family, pool.obstacle.map { .unusable($0) })
        return false
      }
      guard pool.family == family else {
        note(pool, for: family, .otherFamily)
        return false
      }
      return true
    }
  }

  /// What reservations keep from being given out.
  mutating func reservedAddresses() throws(Halt) -> ReservedAddresses {
    if let decodedReservations { return decodedReservations }
    var reserved = ReservedAddresses()
    for item in try list(Self.allReservations).items {
      guard let stored = item.stored else { continue }
      do {
        try reserved.add(decoding: stored.bytes)
      } catch {
        throw .failed(.unreadable(item.key, error))
      }
    }
    decodedReservations = reserved
    return reserved
  }

  /// A node's labels; nil when there is no such node.
  func labels(ofNode name: String) throws(Halt) -> [String: String]? {
    let key = Key.resource(.node, name)
    guard let stored = try entry(key) else { return nil }
    return try Self.decoded(key) { () throws(ModelError) in try ResourceLabels.decode(stored.bytes) }
  }

  /// A block and its revision, as it is stored; nil when there is none.
  ///
  /// An entry that is being deleted is none: the driver finishes the deletion when the key is written.
  mutating func block(_ cidr: CIDR) throws(Halt) -> (block: IPAMBlock, base: Base)? {
    guard let stored = try entry(.block(cidr)) else { return nil }
    if let block = decodedBlocks[cidr] { return (block, .revision(stored.revision)) }
    let block = try Self.decoded(.block(cidr)) { () throws(ModelError) in try stored.block(cidr) }
    decodedBlocks[cidr] = block
    return (block, .revision(stored.revision))
  }

  /// An affinity and its revision; nil when there is none.
  func affinity(_ owner: BlockOwner, _ cidr: CIDR) throws(Halt) -> (affinity: BlockAffinity, base: Base)? {
    let key = Key.affinity(owner, cidr)
    guard let stored = try entry(key) else { return nil }
    let affinity = try Self.decoded(key) { () throws(ModelError) in try stored.affinity() }
    return (affinity, .revision(stored.revision))
  }

  /// A handle and its revision; nil when there is none.
  func handle(_ identifier: String) throws(Halt) -> (handle: IPAMHandle, base: Base)? {
    let key = Key.handle(identifier)
    guard let stored = try entry(key) else { return nil }
    let handle = try Self.decoded(key) { () throws(ModelError) in try stored.handle() }
    return (handle, .revision(stored.revision))
  }

  private static func decoded<Value>(
    _ key: Key, _ decode: () throws(ModelError) -> Value
  ) throws(Halt) -> Value {
    do {
      return try decode()
    } catch {
      throw .failed(.unreadable(key, error))
    }
  }
}
