public import CalicoModel
import Datastore
public import IPAddressing

/// Assigns an address that the caller names (Calico IPAM specification, section 3.9).
public struct AssignAddress: Operation {
  public struct Request: Sendable {
    public var address: IPAddress
    public var handleID: String?
    public var attributes: [String: String]
    /// The node's name.
    public var host: String
    /// What the address is for; nil for anything.
    public var use: IPPool.AllowedUse?
    /// The most addresses of a family that the handle may have; 0 for any number.
    public var maxPerHandle = 0
    public var reservation: HostReservation?
    public var time: Timestamp

    public init(
      _ address: IPAddress, handleID: String?, attributes: [String: String] = [:], host: String,
      use: IPPool.AllowedUse?, time: Timestamp
    ) {
      self.address = address
      self.handleID = handleID
      self.attributes = attributes
      self.host = host
      self.use = use
      self.time = time
    }
  }

  public let request: Request
  private let attribute: AllocationAttribute
  private var planned: (cidr: CIDR, ordinal: Int, number: UInt64)?
  private var doubtful: (cidr: CIDR, ordinal: Int, number: UInt64)?
  private var acquired: AcquiredAddress?
  /// A block that was made for this, and whose affinity a conflict left pending.
  private var unconfirmed: CIDR?

  public init(_ request: Request) {
    self.request = request
    attribute = AllocationAttribute(handleID: request.handleID, owner: request.attributes)
  }

  private var owner: BlockOwner { BlockOwner(request.use == .loadBalancer ? .virtual : .host, request.host) }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<AcquiredAddress> {
    if let acquired {
      if let draft = try confirmation(&planner) { return .commit(draft) }
      return .done(acquired)
    }
    var reads: [Read] = [.list(Planner.allPools), .entry(.configuration)]
    if let handleID = request.handleID { reads.append(.entry(.handle(handleID))) }
    try planner.require(reads)
    let pool = try pool(&planner)
    guard let cidr = pool.block(containing: request.address) else { return .done(try unreachable()) }
    try planner.require([.entry(.block(cidr)), .entry(.affinity(owner, cidr))])
    let configuration = try planner.configuration()
    var draft = Draft()
    let isNew =
      try planner.workingBlock(cidr, in: &draft, time: request.time, cooldown: configuration.cooldownSeconds) == nil
    if isNew {
      let affinity = try planner.affinity(owner, cidr)
      let block = planner.newBlock(cidr, of: owner, since: request.time, request.reservation)
      planner.note(.block(cidr, .claims(pool: pool.name), tally(block, configuration)))
      draft.claim(block, for: owner, affinity: affinity?.base ?? .absent)
    }
    guard var block = draft.blocks[cidr]?.block, let ordinal = block.ordinal(of: request.address) else {
      return .done(try unreachable())
    }
    let isOwn = block.affinity == owner.description
    if !isNew { planner.note(.block(cidr, isOwn ? .own : .others, tally(block, configuration))) }
    if let held = try held(in: block, ordinal, cidr) {
      planner.note(.gives([request.address], of: cidr, .reused))
      return .done(held)
    }
    try checkAffinity(of: block, configuration, &planner)
    let number = block.sequenceNumber
    guard block.assign(ordinal: ordinal, attribute: attribute) else {
      planner.note(.addressIsTaken(request.address, AddressHolder(of: ordinal, in: block)))
      throw .failed(taken(block, ordinal))
    }
    draft.update(block)
    if let handleID = request.handleID {
      try checkLimit(handleID, &planner)
      try planner.count(1, of: cidr, into: handleID, in: &draft)
    }
    planner.note(
      .gives([request.address], of: cidr, isNew ? .new : isOwn ? .own : .borrowed(owner: block.affinity)))
    planned = (cidr, ordinal, number)
    return .commit(draft)
  }

  public mutating func settle(_ settlement: Settlement) {
    guard let planned else {
      if settlement.isComplete { unconfirmed = nil }
      return
    }
    if settlement.applied.contains(.block(planned.cidr)) {
      acquired = acquiredAddress(planned.cidr, planned.number)
      if !settlement.isComplete { unconfirmed = planned.cidr }
    } else if settlement.isInDoubt {
      doubtful = planned
    }
    self.planned = nil
  }

  /// Confirms the affinity of the block that was made, unless somebody has done so, or has taken the block away.
  private func confirmation(_ planner: inout Planner) throws(Halt) -> Draft? {
    guard let cidr = unconfirmed else { return nil }
    try planner.require([.entry(.block(cidr)), .entry(.affinity(owner, cidr)), .entry(.configuration)])
    var draft = Draft()
    let cooldown = try planner.configuration().cooldownSeconds
    guard let block = try planner.workingBlock(cidr, in: &draft, time: request.time, cooldown: cooldown),
      block.affinity == owner.description
    else { return nil }
    guard let (affinity, base) = try planner.affinity(owner, cidr) else {
      // Another process of the node has taken its claim back, which this one had taken over.
      draft.confirm(cidr, for: owner, affinity: BlockAffinity(.pending), base: .absent)
      return draft
    }
    guard affinity.state == .pending else { return nil }
    draft.confirm(cidr, for: owner, affinity: affinity, base: base)
    return draft
  }

  /// The address when it is the caller's already: from a commit whose answer was lost, or, for a handle with a limit,
  /// from an earlier call.
  private func held(in block: IPAMBlock, _ ordinal: Int, _ cidr: CIDR) throws(Halt) -> AcquiredAddress? {
    guard let stored = block.attribute(at: ordinal) else { return nil }
    if let doubtful, doubtful.ordinal == ordinal, stored == attribute,
      block.allocationNumbers[ordinal] == doubtful.number
    {
      return acquiredAddress(cidr, doubtful.number)
    }
    if request.maxPerHandle > 0, let handleID = request.handleID, stored.handleID == handleID {
      return acquiredAddress(cidr, block.allocationNumbers[ordinal] ?? 0)
    }
    return nil
  }

  private func acquiredAddress(_ cidr: CIDR, _ number: UInt64) -> AcquiredAddress {
    AcquiredAddress(address: CIDR(host: request.address), block: cidr, sequenceNumber: number)
  }

  private func pool(_ planner: inout Planner) throws(Halt) -> IPPool {
    let family = request.address.family
    let pools = try planner.enabledPools(family)
    var found: IPPool?
    for pool in pools where found == nil {
      if pool.cidr?.contains(request.address) ?? false {
        found = pool
      } else {
        planner.note(.pool(ConsideredPool(pool, for: family), .doesNotContain(request.address)))
      }
    }
    guard let pool = found else {
      let names = pools.map(\.writtenCIDR).joined(separator: ", ")
      throw .failed(
        EngineError(
          .noQualifiedPool, "The provided IP address is not in a configured pool\n",
          advice: "enabled IPv\(family.rawValue) pools: \(names.isEmpty ? "none" : names)"))
    }
    if let use = request.use, !pool.allowedUses.contains(use) {
      planner.note(.pool(ConsideredPool(pool, for: family), .use(use, allowed: pool.allowedUses)))
      let uses = pool.allowedUses.map(\.rawValue).joined(separator: " ")
      throw .failed(
        EngineError(
          .noQualifiedPool,
          "IP address \(request.address) is in IP pool \"\(pool.name)\", which is not allowed for use "
            + "\"\(use.rawValue)\" (allowedUses: [\(uses)])"))
    }
    planner.note(.pool(ConsideredPool(pool, for: family), nil))
    return pool
  }

  private func checkAffinity(
    of block: IPAMBlock, _ configuration: IPAMConfiguration, _ planner: inout Planner
  ) throws(Halt) {
    guard !block.admits(owner, strictly: configuration.strictAffinity) else { return }
    planner.note(.affinityForbids(block.cidr, owner: block.affinity))
    guard let affinity = block.affinity else {
      throw .failed(EngineError(.conflict, "Attempt to assign from block \(block.cidr) with no affinity"))
    }
    throw .failed(
      EngineError(
        .conflict, "Block host affinity does not match",
        advice: "strict affinity is on, and block \(block.cidr) belongs to \(affinity)"))
  }

  private func taken(_ block: IPAMBlock, _ ordinal: Int) -> EngineError {
    let holder = block.attribute(at: ordinal)?.handleID ?? "a caller without a handle"
    return EngineError(
      .alreadyExists,
      "resource already exists: \(request.address) with error: Address already assigned in block",
      advice: block.isInUse(ordinal) ? "held by \(holder)" : "it was released and cools down")
  }

  private func checkLimit(_ handleID: String, _ planner: inout Planner) throws(Halt) {
    guard request.maxPerHandle > 0, let handle = try planner.settledHandle(handleID) else { return }
    let family = request.address.family
    let count = handle.count(family)
    guard count + 1 > request.maxPerHandle else { return }
    planner.note(.handleIsFull(handleID, family, count: count, limit: request.maxPerHandle))
    throw .failed(
      EngineError(
        .conflict,
        "handle \(handleID) already has IP(s) allocated, cannot assign additional IP \(request.address) "
          + "(maxAllocPerIPVersion=\(request.maxPerHandle))"))
  }

  /// What is in a block. An address that is asked for may be reserved, so that nothing is kept back here.
  private func tally(_ block: IPAMBlock, _ configuration: IPAMConfiguration) -> BlockTally {
    BlockTally(block, reserved: ReservedAddresses(), cooldown: configuration.cooldownSeconds)
  }

  private func unreachable() throws(Halt) -> AcquiredAddress {
    throw .failed(EngineError(.invalidRequest, "IP \(request.address) not in block"))
  }
}
