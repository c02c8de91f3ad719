import CalicoModel
import Datastore
import IPAddressing
import Routing

/// What the entries that were read say of routes, and what of it has changed since it was last asked for.
///
/// Pure: it is given entries, and says which blocks have to be looked at.
struct BlockTopology: Sendable {
  /// What is known of a block.
  private struct Known {
    /// Nil when the block was never understood.
    var claim: BlockClaim?
    /// Nil when it was not read.
    var revision: Revision?
    /// Why what is stored now is not understood.
    var unreadable: String?
  }

  let nodeName: String
  let mode: RoutingConfiguration.Mode
  private(set) var pools: [String: RoutingPool] = [:]
  private(set) var nodes: [String: RoutingNode] = [:]
  private(set) var faults = Faults()
  /// Whether nodes use addresses of their own blocks only.
  private(set) var isStrict = false
  /// The blocks whose every change matters: this node's own, because others may borrow from them, and those of which
  /// affinities and block do not say the same, or nothing that would tell of a change.
  private(set) var watched: Set<CIDR> = []
  private var affinities: [CIDR: [BlockOwner: BlockAffinity.State]] = [:]
  private var blocks: [CIDR: Known] = [:]
  private var changes: [TopologyChange] = []

  /// The ranges of nodes that have fixed ones.
  private var ranges = PodRanges()

  init(nodeName: String, _ mode: RoutingConfiguration.Mode) {
    self.nodeName = nodeName
    self.mode = mode
  }

  /// The kinds of entries that are watched as a whole.
  var kinds: Set<EntryKind> {
    let kinds: Set<EntryKind> = [.resources(.ipPool), .resources(.node)]
    return mode == .blocks ? kinds.union([.configuration, .affinities]) : kinds
  }

  /// Everything that is known.
  var topology: Topology {
    var claims: [CIDR: Claim] = [:]
    claims.reserveCapacity(blocks.count)
    for (cidr, known) in blocks { claims[cidr] = known.claim?.claim }
    claims.merge(ranges.claims) { $1 }
    return Topology(pools: pools, nodes: nodes, claims: claims)
  }

  /// What has changed since the last call.
  mutating func takeChanges() -> [TopologyChange] {
    defer { changes = [] }
    return changes
  }

  // MARK: Kinds that are watched

  /// Takes in an entry as it is now, nil when it is gone.
  ///
  /// - Returns: the block to look at, if the entry is an affinity.
  @discardableResult
  mutating func take(_ key: Key, _ stored: Stored?) -> CIDR? {
    switch key {
    case .resource(.ipPool, let name): takePool(name, stored)
    case .resource(.node, let name): takeNode(name, stored)
    case .configuration: takeConfiguration(stored)
    case .block(let cidr): takeBlock(cidr, stored)
    case .affinity(let owner, let cidr):
      takeAffinity(owner, cidr, stored)
      return cidr
    case .resource, .handle, .host: break
    }
    return nil
  }

  private mutating func takePool(_ name: String, _ stored: Stored?) {
    let object = "IPPool \(name)"
    guard let stored else {
      faults.set(nil, of: object)
      if pools.removeValue(forKey: name) != nil { changes.append(.pool(name, nil)) }
      return
    }
    do throws(ModelError) {
      let written = try IPPool(decoding: stored.bytes, name: name)
      faults.set(written.fault.map { Self.kept($0, isKnown: pools[name] != nil) }, of: object)
      guard let pool = RoutingPool(written), pools[name] != pool else { return }
      pools[name] = pool
      changes.append(.pool(name, pool))
    } catch {
      faults.set(Self.kept(error.description, isKnown: pools[name] != nil), of: object)
    }
  }

  private mutating func takeNode(_ name: String, _ stored: Stored?) {
    let object = "Node \(name)"
    guard let stored else {
      faults.set(nil, of: object)
      put(name, nil)
      if mode == .podCIDRs { take(ranges.set([], of: name, since: nil)) }
      return
    }
    do throws(ModelError) {
      let written = try NodeNetwork(decoding: stored.bytes)
      faults.set(written.fault.map { "\($0); the rest of it is used" }, of: object)
      put(name, RoutingNode(written, derivesTunnelAddress: mode == .podCIDRs))
      if mode == .podCIDRs { take(ranges.set(written.podCIDRs, of: name, since: written.createdAt)) }
    } catch {
      faults.set(Self.kept(error.description, isKnown: nodes[name] != nil), of: object)
    }
  }

  private mutating func put(_ name: String, _ node: RoutingNode?) {
    var node = node
    // A node is not told with a range that is another one's.
    if mode == .podCIDRs { node?.podCIDRs = ranges.held(by: name) }
    if nodes[name] == node { return }
    nodes[name] = node
    changes.append(.node(name, node))
  }

  /// Takes note of ranges that have come to be other nodes'.
  private mutating func take(_ change: PodRanges.Change) {
    for name in change.nodes { nodes[name].map { put(name, $0) } }
    for (range, claim) in change.claims {
      changes.append(.claim(range, claim))
      faults.set(ranges.contradiction(range), of: "range \(range)")
    }
  }

  private mutating func takeConfiguration(_ stored: Stored?) {
    let object = "IPAMConfiguration default"
    faults.set(nil, of: object)
    guard let stored else {
      isStrict = IPAMConfiguration().strictAffinity
      return
    }
    do throws(ModelError) {
      isStrict = try stored.configuration().strictAffinity
    } catch {
      // Looking for borrowed addresses where there are none does no harm.
      isStrict = false
      faults.set("\(error.description); taken for one without strict affinity", of: object)
    }
  }

  private mutating func takeAffinity(_ owner: BlockOwner, _ cidr: CIDR, _ stored: Stored?) {
    let object = "BlockAffinity of \(owner) to \(cidr)"
    faults.set(nil, of: object)
    affinities[cidr, default: [:]][owner] = nil
    if let stored {
      do throws(ModelError) {
        let affinity = try stored.affinity()
        affinities[cidr, default: [:]][owner] = affinity.isDeleted ? .pendingDeletion : affinity.state
      } catch {
        affinities[cidr, default: [:]][owner] = .other("malformed")
        faults.set("\(error.description); the block itself says who has it", of: object)
      }
    }
    if affinities[cidr]?.isEmpty ?? true { affinities[cidr] = nil }
    settle(cidr)
  }

  private static func kept(_ reason: String, isKnown: Bool) -> String {
    reason + (isKnown ? "; what was known of it holds until it is repaired" : "; left out until it is repaired")
  }

  // MARK: Blocks

  /// Whether a block has to be read to know who has it: not when the only affinity to it is confirmed, and of another
  /// node.
  func needsReading(_ cidr: CIDR) -> Bool {
    guard let owner = soleOwner(of: cidr) else { return true }
    return owner == BlockOwner(.host, nodeName)
  }

  /// Who alone says to have a block, without doubt.
  private func soleOwner(of cidr: CIDR) -> BlockOwner? {
    guard let owners = affinities[cidr], owners.count == 1, let (owner, state) = owners.first else { return nil }
    return state == .confirmed || state == .unstated ? owner : nil
  }

  /// Takes a block to be its only owner's, with no address borrowed: it exists, and strict affinity holds.
  mutating func assumeOwned(_ cidr: CIDR) {
    guard blocks[cidr] == nil, let owner = soleOwner(of: cidr) else { return }
    put(Known(claim: BlockClaim(cidr, of: owner)), cidr)
  }

  /// The blocks to which there are affinities.
  var claimedBlocks: Set<CIDR> { Set(affinities.keys) }

  /// The blocks of other nodes that are known to have borrowed addresses.
  var lenders: [CIDR] {
    blocks.filter { $0.value.claim?.hasBorrowedAddresses ?? false }.map(\.key).filter { !watched.contains($0) }
  }

  /// Forgets the blocks that are not among those that exist.
  mutating func keepOnly(_ present: Set<CIDR>) {
    for cidr in Array(blocks.keys) where !present.contains(cidr) { takeBlock(cidr, nil) }
  }

  /// Takes in a block as it is now, nil when it is gone.
  private mutating func takeBlock(_ cidr: CIDR, _ stored: Stored?) {
    guard let stored else { return remove(cidr) }
    if blocks[cidr]?.revision == stored.revision { return }
    do throws(ModelError) {
      guard let claim = try BlockClaim(stored, cidr) else { return remove(cidr) }
      put(Known(claim: claim, revision: stored.revision), cidr)
    } catch {
      var known = blocks[cidr] ?? Known()
      known.revision = stored.revision
      known.unreadable = Self.kept(error.description, isKnown: known.claim != nil)
      put(known, cidr)
    }
  }

  private mutating func remove(_ cidr: CIDR) {
    if blocks.removeValue(forKey: cidr)?.claim?.claim != nil { changes.append(.claim(cidr, nil)) }
    settle(cidr)
  }

  private mutating func put(_ known: Known, _ cidr: CIDR) {
    let before = blocks[cidr]?.claim?.claim
    blocks[cidr] = known
    if known.claim?.claim != before { changes.append(.claim(cidr, known.claim?.claim)) }
    settle(cidr)
  }

  private static func object(_ cidr: CIDR) -> String { "block \(cidr)" }

  /// Decides whether a block's every change matters, and whether what is said of it fits together.
  private mutating func settle(_ cidr: CIDR) {
    let known = blocks[cidr]
    let reason = known?.unreadable ?? known?.claim?.fault ?? contradiction(cidr, known?.claim)
    faults.set(reason, of: Self.object(cidr))
    if known == nil, affinities[cidr] == nil {
      watched.remove(cidr)
    } else if let owner = soleOwner(of: cidr), owner != BlockOwner(.host, nodeName), known?.claim?.owner == owner,
      known?.unreadable == nil
    {
      watched.remove(cidr)
    } else {
      watched.insert(cidr)
    }
  }

  /// What is wrong with several confirmed affinities to one block.
  private func contradiction(_ cidr: CIDR, _ claim: BlockClaim?) -> String? {
    let owners = (affinities[cidr] ?? [:]).filter { $0.value == .confirmed || $0.value == .unstated }
    guard owners.count > 1 else { return nil }
    let names = owners.keys.map(\.description).sorted().joined(separator: " and ")
    let truth = claim.map { $0.owner.map { "affine to \($0)" } ?? "affine to nobody" } ?? "not there"
    return "there are affinities of \(names); the block itself, which counts, is \(truth)"
  }
}
