import CalicoModel
import IPAddressing
import JSON

/// Whether a procedure may begin: everything that stands in its way, each with what to do about it. Pure, so that
/// refusals can be tested one by one.
struct ProcedureCheck {
  let request: ProcedureRequest
  let survey: PoolSurvey
  private(set) var obstacles: [String] = []
  private(set) var notes: [String] = []

  init(_ request: ProcedureRequest, _ survey: PoolSurvey) {
    self.request = request
    self.survey = survey
  }

  /// Checks everything.
  ///
  /// - Parameters:
  ///   - turn: the run that would begin it.
  ///   - beganAt: now, in RFC 3339.
  /// - Returns: what would be done.
  /// - Throws: ``ProcedureError``: `notFound`, or `refused` with every obstacle.
  mutating func proposal(turn: String, beganAt: String) throws(ProcedureError) -> ProcedureProposal {
    guard let source = survey.pool(request.source) else { throw .noPool(request.source, survey.pools) }
    if survey.isLocked {
      obstacles.append(
        "the datastore is locked because its content is being moved "
          + "('ipamctl datastore migrate unlock')")
    }
    obstacles += survey.unreadable
    checkSource(source)
    var existing: StoredPool?
    var new: Resource?
    let procedure: PoolProcedure
    switch request {
    case .migration(_, let name, let cidr, let blockSize):
      existing = survey.pool(name)
      if let existing {
        checkExisting(existing, for: source, cidr, blockSize)
      } else {
        new = checkNew(name, cidr, blockSize ?? fittingSize(source, cidr), for: source)
      }
      procedure = PoolProcedure(
        .migration, source: source.resource, standIn: existing?.name ?? name, createsStandIn: existing == nil,
        turn: turn, beganAt: beganAt)
    case .resizing(_, let size, let name, let cidr):
      checkResizing(source, to: size)
      let name = name ?? source.name + "-temporary"
      if survey.pools.contains(where: { $0.name == name }) {
        obstacles.append("IPPool \(name) exists; name another temporary pool with --temporary-name")
      }
      new = checkNew(name, cidr, fittingSize(source, cidr), for: source)
      procedure = PoolProcedure(
        .resizing, source: source.resource, standIn: name, createsStandIn: true, blockSize: size, turn: turn,
        beganAt: beganAt)
    }
    guard obstacles.isEmpty else { throw .refused(procedure, obstacles) }
    addNotes(source)
    var situation = Situation(source: source.state, form: .original, standIn: existing?.state ?? .absent)
    situation.hasRecord = existing != nil
    situation.sourceUse = survey.source.use
    // What is not in use now may be by the time the step is taken.
    situation.sourceUse.addresses = max(1, situation.sourceUse.addresses)
    return ProcedureProposal(
      procedure: procedure, steps: procedure.foreseen(from: situation), standIn: existing,
      newStandIn: new.map { procedure.recorded($0) }, holdings: survey.source, notes: notes)
  }

  private mutating func refuse(_ reason: String) { obstacles.append(reason) }

  // MARK: - The source

  private mutating func checkSource(_ source: StoredPool) {
    let name = "IPPool \(source.name)"
    checkBusy(source)
    if source.pool.isDeleting { refuse("\(name) is being deleted") }
    if source.pool.isDisabled {
      refuse("\(name) is disabled; enable it first, or delete it when 'ipamctl ipam show' finds nothing in use")
    } else if !source.pool.isAllocatable {
      refuse("\(name) cannot be used: its condition Allocatable is False")
    }
    guard let range = source.pool.cidr else {
      return refuse("the range of \(name), '\(source.pool.writtenCIDR)', is no CIDR")
    }
    if !source.pool.hasUsableBlockSize, source.pool.isAllocatable {
      refuse("\(name) cannot be cut into its blocks of /\(source.pool.blockSize)")
    }
    for other in survey.pools where other.name != source.name && other.pool.cidr?.overlaps(range) == true {
      refuse("\(name) (\(range)) overlaps with IPPool \(other.name) (\(other.pool.writtenCIDR))")
    }
    for block in survey.source.blocks
    where block.cidr.prefixLength != source.pool.blockSize || !range.contains(block.cidr.address) {
      refuse("block \(block.cidr) overlaps with \(name) and is none of its blocks of /\(source.pool.blockSize)")
    }
    if source.pool.allowedUses.contains(.loadBalancer) {
      refuse("\(name) is for load balancers: Services keep their addresses, and nobody moves them")
    }
    let manager = source.resource.metadata["labels"]?.objectValue?["app.kubernetes.io/managed-by"]?.stringValue
    if manager == "tigera-operator" {
      refuse(
        "\(name) belongs to the Tigera operator, which would undo every step; change spec.calicoNetwork.ipPools of its "
          + "Installation")
    }
  }

  /// Refuses a pool of a procedure that is under way.
  private mutating func checkBusy(_ pool: StoredPool) {
    for other in survey.pools where other.resource[annotation: ProcedureAnnotations.record] != nil {
      do throws(ProcedureError) {
        guard let procedure = try other.procedure(), [procedure.source, procedure.standIn].contains(pool.name) else {
          continue
        }
        refuse(
          "IPPool \(pool.name) is in a procedure already; 'ipamctl pool \(procedure.kind.rawValue) --status "
            + "\(procedure.source)' shows it")
      } catch {
        if other.name == pool.name { refuse(error.description) }
      }
    }
  }

  // MARK: - The stand-in

  /// The size of the source's blocks where that fits a range, else that of the whole range.
  private func fittingSize(_ source: StoredPool, _ cidr: CIDR?) -> Int {
    max(source.pool.blockSize, cidr?.prefixLength ?? 0)
  }

  private mutating func checkNew(
    _ name: String, _ cidr: CIDR?, _ blockSize: Int, for source: StoredPool
  ) -> Resource? {
    guard let cidr else {
      refuse("there is no IPPool \(name); give --cidr for it to be created")
      return nil
    }
    if cidr.address.family != source.pool.family, source.pool.family != nil {
      refuse("\(cidr) is of another IP version than IPPool \(source.name) (\(source.pool.writtenCIDR))")
    }
    let new = PoolProcedure.standIn(for: source.resource, name: name, cidr: cidr, blockSize: blockSize)
    // As it will be when it is in use: a disabled pool may break rules.
    var enabled = new
    enabled.specification["disabled"] = nil
    do throws(ResourceError) {
      try IPPoolRules.prepared(enabled, beside: survey.pools.map(\.pool)).validate()
    } catch {
      refuse("IPPool \(name) cannot be created: \(error.description)")
    }
    for block in survey.standIn.blocks {
      let count = block.addresses == 1 ? "1 address" : "\(block.addresses) addresses"
      refuse("block \(block.cidr) with \(count) in use lies in \(cidr) and is of no pool; see 'ipamctl ipam check'")
    }
    checkRoom(cidr, blockSize, name, source)
    return new
  }

  private mutating func checkExisting(
    _ pool: StoredPool, for source: StoredPool, _ cidr: CIDR?, _ blockSize: Int?
  ) {
    let name = "IPPool \(pool.name)"
    if pool.name == source.name { return refuse("\(name) cannot be migrated to itself") }
    checkBusy(pool)
    if let cidr, pool.pool.cidr != cidr.canonical { refuse("\(name) exists, and has \(pool.pool.writtenCIDR)") }
    if let blockSize, pool.pool.blockSize != blockSize {
      refuse("\(name) exists, and has blocks of /\(pool.pool.blockSize), which cannot be changed")
    }
    if pool.pool.isDeleting { refuse("\(name) is being deleted") }
    if pool.pool.isDisabled { refuse("\(name) is disabled; enable it first") }
    if !pool.pool.isDisabled, !pool.pool.isEnabled, !pool.pool.isDeleting {
      refuse("\(name) cannot be used: its condition Allocatable is False, or its range has no room for a block")
    }
    guard let range = pool.pool.cidr else { return refuse("the range of \(name) is no CIDR") }
    if range.address.family != source.pool.family {
      refuse(
        "\(name) (\(range)) is of another IP version "
          + "than IPPool \(source.name)")
    }
    for other in survey.pools
    where ![pool.name, source.name].contains(other.name) && other.pool.cidr?.overlaps(range) == true {
      refuse("\(name) (\(range)) overlaps with IPPool \(other.name) (\(other.pool.writtenCIDR))")
    }
    for block in survey.standIn.blocks
    where block.cidr.prefixLength != pool.pool.blockSize || !range.contains(block.cidr.address) {
      refuse("block \(block.cidr) overlaps with \(name) and is none of its blocks of /\(pool.pool.blockSize)")
    }
    checkRoom(range, pool.pool.blockSize, pool.name, source)
    checkSelection(pool, source)
  }

  /// Whether everybody who uses the source can use another pool.
  private mutating func checkSelection(_ pool: StoredPool, _ source: StoredPool) {
    let (new, old) = (pool.pool, source.pool)
    if old.isAutomatic, !new.isAutomatic {
      refuse("IPPool \(new.name) is used only by who asks for it (assignmentMode Manual), unlike IPPool \(old.name)")
    }
    let missing = old.allowedUses.filter { !new.allowedUses.contains($0) }
    if !missing.isEmpty {
      refuse("IPPool \(new.name) does not allow the use \(missing.map(\.rawValue).joined(separator: ", "))")
    }
    if !new.namespaceSelector.isEmpty, new.namespaceSelector != old.namespaceSelector {
      refuse("IPPool \(new.name) selects other namespaces than IPPool \(old.name)")
    }
    guard let selector = try? Selector(new.nodeSelector) else {
      return refuse("the node selector of IPPool \(new.name) cannot be read: \(new.nodeSelector)")
    }
    for host in survey.source.hosts where !selector.matches(survey.labels[host] ?? [:]) {
      refuse("node \(host) uses IPPool \(old.name), and IPPool \(new.name) does not select it (\(new.nodeSelector))")
    }
    if (new.ipipMode, new.vxlanMode) != (old.ipipMode, old.vxlanMode) {
      notes.append("IPPool \(new.name) wraps packets between nodes in another way than IPPool \(old.name)")
    }
  }

  /// Whether what is in use fits into another pool.
  private mutating func checkRoom(_ range: CIDR, _ blockSize: Int, _ name: String, _ source: StoredPool) {
    let needed = UInt128(survey.source.holders.count)
    let taken = UInt128(survey.standIn.holders.count + survey.standIn.coolingDown) &+ survey.reserved.count(in: range)
    let free = taken >= range.count ? 0 : range.count - taken
    if free < needed {
      refuse("IPPool \(name) (\(range)) has \(free) free addresses; \(needed) of IPPool \(source.name) are in use")
    }
    checkBlocks(range, blockSize, name)
  }

  private mutating func checkBlocks(_ range: CIDR, _ blockSize: Int, _ name: String) {
    let blocks = range.blocks(ofSize: blockSize)
    let hosts = survey.source.hosts.count
    guard blocks < UInt128(hosts) else { return }
    let text = "IPPool \(name) has room for \(blocks) blocks of /\(blockSize), and \(hosts) nodes use addresses"
    if survey.configuration.strictAffinity {
      refuse("\(text), who may not borrow (strict affinity)")
    } else {
      notes.append("\(text): some will borrow from the blocks of others")
    }
  }

  // MARK: - Other sizes

  private mutating func checkResizing(_ source: StoredPool, to size: Int) {
    if size == source.pool.blockSize { return refuse("IPPool \(source.name) has blocks of /\(size) already") }
    var resized = source.resource
    resized.specification["blockSize"] = .number(JSONNumber(size))
    do throws(ResourceError) {
      try IPPoolRules.prepared(resized).validate()
    } catch {
      refuse("IPPool \(source.name) cannot have blocks of /\(size): \(error.description)")
    }
    if let range = source.pool.cidr { checkBlocks(range, size, source.name) }
  }

  // MARK: - Notes

  private mutating func addNotes(_ source: StoredPool) {
    let isTemporary = if case .resizing = request { true } else { false }
    notes.append(
      "who asks for IPPool \(source.name) by name, or for an address of it, gets none while it is disabled"
        + (isTemporary ? "" : ", and later") + ": change such annotations and CNI configurations first")
    if !source.pool.isAutomatic {
      notes.append("IPPool \(source.name) is used only by who asks for it (assignmentMode Manual)")
    }
    if survey.source.coolingDown > 0 {
      notes.append("addresses that cool down keep IPPool \(source.name) until they are free")
    }
    notes.append("addresses outside the pod network that Kubernetes was told may be unreachable, or translated")
  }
}

extension PoolProcedure {
  /// The steps that people are told of before they agree: workloads will have come to the stand-in by the time that it
  /// goes.
  func foreseen(from situation: Situation) -> [ProcedureStep] {
    var steps: [ProcedureStep] = []
    var situation = situation
    while steps.count < 32, let step = next(situation) {
      steps.append(step)
      situation.take(step, of: self)
      if step == ProcedureStep(.disable, .source) || step == ProcedureStep(.drain, .source) {
        situation.standInUse.addresses = 1
      }
    }
    return steps
  }
}

extension ProcedureError {
  static func noPool(_ text: String, _ pools: [StoredPool]) -> ProcedureError {
    let names = pools.map(\.name).joined(separator: ", ")
    return ProcedureError(
      .notFound, "there is no IPPool \(text); there " + (names.isEmpty ? "are none" : "is: \(names)"))
  }

  static func refused(_ procedure: PoolProcedure, _ reasons: [String]) -> ProcedureError {
    let what =
      switch procedure.kind {
      case .migration: "cannot migrate from IPPool \(procedure.source) to IPPool \(procedure.standIn)"
      case .resizing: "cannot change the blocks of IPPool \(procedure.source)"
      }
    if reasons.count == 1 { return ProcedureError(.refused, "\(what): \(reasons[0])") }
    return ProcedureError(.refused, "\(what):" + reasons.map { "\n  - \($0)" }.joined())
  }
}
