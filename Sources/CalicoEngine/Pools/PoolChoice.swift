public import CalicoModel
import Datastore
public import IPAddressing

/// What pools are chosen by (Calico IPAM specification, section 3.3).
public struct PoolRequest: Hashable, Sendable {
  /// The family of the addresses.
  public var family: AddressFamily
  /// The pools that are asked for, by network; empty for all that fit. The order counts.
  public var requested: [CIDR]
  public var use: IPPool.AllowedUse
  /// Who blocks are claimed for.
  public var owner: BlockOwner
  /// The labels of the namespace that the addresses are for.
  public var namespaceLabels: [String: String]
  /// What the host keeps for itself of every block.
  public var reservation: HostReservation?

  public init(
    family: AddressFamily, requested: [CIDR] = [], use: IPPool.AllowedUse, owner: BlockOwner,
    namespaceLabels: [String: String] = [:], reservation: HostReservation? = nil
  ) {
    self.family = family
    self.requested = requested
    self.use = use
    self.owner = owner
    self.namespaceLabels = namespaceLabels
    self.reservation = reservation
  }
}

/// The pools that a request may use.
struct PoolChoice: Sendable {
  /// The pools that fit and allow the use, in the order in which they are tried.
  var usable: [IPPool]
  /// Those that fit, whatever use they allow.
  var fitting: [IPPool]
  /// All enabled pools of the family.
  var enabled: [IPPool]
  /// The node's labels.
  var nodeLabels: [String: String]

  /// The first usable pool that a block lies in.
  func usablePool(of block: CIDR) -> IPPool? { usable.first { $0.cidr?.contains(block.address) ?? false } }

  /// Whether a block of the node has to be given up because its pool selects the node no longer (section 3.3,
  /// prepareAffinityBlocks step 6).
  func mustGiveUp(_ block: CIDR) throws(Halt) -> Bool {
    if fitting.contains(where: { $0.cidr?.contains(block.address) ?? false }) { return false }
    guard let pool = enabled.first(where: { $0.cidr?.contains(block.address) ?? false }) else { return false }
    return try !pool.selects(nodeLabels: nodeLabels)
  }
}

extension IPPool {
  /// Whether the pool's node selector matches a node.
  func selects(nodeLabels: [String: String]) throws(Halt) -> Bool {
    try Self.matches(nodeSelector, nodeLabels, of: self, "nodeSelector")
  }

  /// Whether the pool's namespace selector matches a namespace.
  func selects(namespaceLabels: [String: String]) throws(Halt) -> Bool {
    try Self.matches(namespaceSelector, namespaceLabels, of: self, "namespaceSelector")
  }

  private static func matches(
    _ text: String, _ labels: [String: String], of pool: IPPool, _ member: String
  ) throws(Halt) -> Bool {
    if text.isEmpty || text == "all()" { return true }
    do {
      return try Selector(text).matches(labels)
    } catch {
      throw .failed(
        EngineError(
          .invalidRequest, error.description, advice: "correct \(member) of IPPool \(pool.name): \(text)"))
    }
  }
}

extension Planner {
  /// What ``choosePools(_:)`` needs.
  static func readsForPools(_ request: PoolRequest) -> [Read] {
    request.use == .loadBalancer
      ? [.list(allPools)] : [.entry(.resource(.node, request.owner.name)), .list(allPools)]
  }

  /// Chooses the pools of a request.
  mutating func choosePools(_ request: PoolRequest) throws(Halt) -> PoolChoice {
    let nodeLabels = try nodeLabels(request)
    let maximum = try Self.maximumBlockSize(request)
    let enabled = try enabledPools(request.family)
    // Requested pools must fit as well; a pool that is too fine is none.
    let candidates = enabled.filter { pool in
      if pool.blockSize <= maximum { return true }
      note(pool, for: request.family, .blocksTooSmall(maximum: maximum))
      return false
    }
    guard !candidates.isEmpty else {
      throw .failed(EngineError(.noQualifiedPool, "cannot find a qualified ippool", advice: noPoolAdvice(request)))
    }
    var fitting: [IPPool] = []
    if request.requested.isEmpty {
      for pool in candidates {
        if try isChosenUnasked(pool, request, nodeLabels) { fitting.append(pool) }
      }
    } else {
      fitting = try requestedPools(request, among: candidates)
    }
    guard !fitting.isEmpty else {
      throw .failed(
        EngineError(
          .noQualifiedPool, "no configured Calico pools for node \(request.owner.name)",
          advice: "no enabled IPv\(request.family.rawValue) pool selects this node and namespace and is assigned "
            + "automatically: compare nodeSelector, namespaceSelector and assignmentMode of "
            + candidates.map(\.name).joined(separator: ", ")))
    }
    let usable = fitting.filter { pool in
      if pool.allowedUses.contains(request.use) { return true }
      note(pool, for: request.family, .use(request.use, allowed: pool.allowedUses))
      return false
    }
    guard !usable.isEmpty else {
      throw .failed(
        EngineError(
          .noQualifiedPool,
          "cannot find a qualified ippool, no pools match the required use (\(request.use.rawValue))",
          advice: "add \(request.use.rawValue) to allowedUses of one of "
            + fitting.map(\.name).joined(separator: ", ")))
    }
    if isTraced {
      for pool in usable { note(pool, for: request.family, nil) }
    }
    return PoolChoice(usable: usable, fitting: fitting, enabled: enabled, nodeLabels: nodeLabels)
  }

  /// Whether a request that names no pools uses a pool.
  private mutating func isChosenUnasked(
    _ pool: IPPool, _ request: PoolRequest, _ nodeLabels: [String: String]
  ) throws(Halt) -> Bool {
    guard pool.isAutomatic else {
      note(pool, for: request.family, .manual)
      return false
    }
    guard try pool.selects(nodeLabels: nodeLabels) else {
      note(pool, for: request.family, .nodeSelector(pool.nodeSelector, labels: nodeLabels))
      return false
    }
    guard try pool.selects(namespaceLabels: request.namespaceLabels) else {
      note(pool, for: request.family, .namespaceSelector(pool.namespaceSelector, labels: request.namespaceLabels))
      return false
    }
    return true
  }

  private func nodeLabels(_ request: PoolRequest) throws(Halt) -> [String: String] {
    // Services belong to no node: their stand-in has no labels.
    if request.use == .loadBalancer { return [:] }
    guard let labels = try labels(ofNode: request.owner.name) else {
      let key = Key.resource(.node, request.owner.name)
      throw .failed(
        .doesNotExist(
          key, advice: "create the Node that this host is: the name comes from `nodename` in the network configuration")
      )
    }
    return labels
  }

  private func noPoolAdvice(_ request: PoolRequest) -> String {
    "create or enable an IPPool with an IPv\(request.family.rawValue) CIDR and a block size that fits it"
  }

  /// The finest block that leaves the host an address besides those it keeps for itself (section 2.5).
  private static func maximumBlockSize(_ request: PoolRequest) throws(Halt) -> Int {
    guard let reservation = request.reservation else { return request.family.bitWidth }
    let kept = reservation.startOfBlock + reservation.endOfBlock
    let bits = Int.bitWidth - kept.leadingZeroBitCount
    guard kept > 0, request.family.bitWidth > bits else {
      throw .failed(EngineError(.invalidRequest, "HostReservedAttr has wrong parameters"))
    }
    return request.family.bitWidth - bits
  }

  private mutating func requestedPools(
    _ request: PoolRequest, among candidates: [IPPool]
  ) throws(Halt) -> [IPPool] {
    if isTraced {
      for pool in candidates where !request.requested.contains(where: { $0.canonical == pool.cidr }) {
        note(pool, for: request.family, .notRequested)
      }
    }
    var pools: [IPPool] = []
    for requested in request.requested {
      guard let pool = candidates.first(where: { $0.cidr == requested.canonical }) else {
        note(.requestedPoolMissing(requested.canonical))
        throw .failed(
          EngineError(
            .noQualifiedPool, "the given pool (\(requested.canonical)) does not exist, or is not enabled",
            advice: "enabled IPv\(request.family.rawValue) pools: "
              + candidates.map(\.writtenCIDR).joined(separator: ", ")))
      }
      if !pools.contains(where: { $0.name == pool.name }) { pools.append(pool) }
    }
    return pools
  }
}
