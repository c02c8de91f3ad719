import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

// One step each, and the look at what it led to.

extension ProcedureRunner {
  /// Does a step.
  ///
  /// - Returns: whether it is done; when not, the pools have to be looked at again.
  /// - Throws: ``ProcedureError`` of code `refused` or `stuck`, or what the store throws.
  func apply(_ step: ProcedureStep, _ run: ProcedureRun, _ observation: ProcedureObservation) async throws -> Bool {
    let procedure = run.procedure
    let pool = observation.pool(step.role)
    switch (step.action, pool) {
    case (.create, nil): return try await create(step.role, run, observation)
    case (.putBack, _): return try await putBack(step.role, run, observation)
    case (.clear, _): return try await clear(step.role, run)
    case (.claim, .some(let pool)): return try await write(procedure.marked(pool.resource), over: pool)
    case (.enable, .some(let pool)): return try await enable(pool, step.role, procedure)
    case (.disable, .some(let pool)):
      if run.isContested(step.role) {
        throw ProcedureError(.stuck, "somebody keeps enabling IPPool \(pool.name); find out who, and continue")
      }
      return try await write(procedure.disabled(pool.resource), over: pool)
    case (.delete, .some(let pool)): return try await delete(pool, step.role)
    case (.release, .some(let pool)):
      var released = pool.resource
      released[annotation: ProcedureAnnotations.mark] = nil
      return try await write(released, over: pool)
    case (.forget, .some(let pool)):
      var forgotten = pool.resource
      forgotten[annotation: ProcedureAnnotations.record] = nil
      return try await write(forgotten, over: pool)
    default: return false
    }
  }

  // MARK: - Steps

  private func create(
    _ role: PoolProcedure.Role, _ run: ProcedureRun, _ observation: ProcedureObservation
  ) async throws -> Bool {
    guard var resource = run.document(role, uid: surroundings.makeUUID(), createdAt: surroundings.now().description)
    else {
      return false
    }
    do throws(ResourceError) {
      resource = try IPPoolRules.prepared(resource, beside: observation.pools.map(\.pool), unless: run.procedure, role)
      try resource.validate()
    } catch {
      throw ProcedureError(.stuck, "IPPool \(resource.name) cannot be created: \(error.description)")
    }
    guard try await commit(Change(resource.key, base: .absent, final: .value(.resource(resource.encoded())))) else {
      return false
    }
    guard role == .standIn else { return true }
    // Two may create overlapping pools at once, each unseen by the other. This one has given nothing out yet.
    let (pools, _) = try await reader.pools()
    guard let created = pools.first(where: { $0.name == resource.name }), let range = created.pool.cidr else {
      return true
    }
    guard let other = pools.first(where: { $0.name != created.name && $0.pool.cidr?.overlaps(range) == true }) else {
      return true
    }
    _ = try await commit(Change(created.resource.key, base: .revision(created.revision), final: .delete))
    throw ProcedureError(
      .refused,
      "IPPool \(other.name) (\(other.pool.writtenCIDR)), which was created meanwhile, overlaps with IPPool "
        + "\(created.name) (\(range)); that was deleted again, and nothing else was changed")
  }

  private func putBack(
    _ role: PoolProcedure.Role, _ run: ProcedureRun, _ observation: ProcedureObservation
  ) async throws -> Bool {
    let resource: Resource
    switch role {
    case .source:
      let size = observation.situation.sourceUse.sizeInUse
      let form = size.map { run.procedure.form(ofBlockSize: $0) } ?? .original
      resource = run.procedure.source(
        form, uid: surroundings.makeUUID(), createdAt: surroundings.now().description)
    case .standIn:
      guard let deleted = run.deletedStandIn else { return false }
      resource = deleted.resource
    }
    return try await commit(Change(resource.key, base: .absent, final: .value(.resource(resource.encoded()))))
  }

  private func enable(_ pool: StoredPool, _ role: PoolProcedure.Role, _ procedure: PoolProcedure) async throws -> Bool {
    let resource = procedure.enabled(pool.resource, role)
    do throws(ResourceError) {
      try resource.validate()
    } catch {
      throw ProcedureError(.stuck, "IPPool \(pool.name) cannot be enabled: \(error.description)")
    }
    guard let range = pool.pool.cidr else { return false }
    // A block of another size would hand addresses out a second time.
    for block in try await reader.holdings(in: range).blocks where block.cidr.prefixLength != pool.pool.blockSize {
      if block.addresses > 0 {
        throw ProcedureError(
          .stuck,
          "block \(block.cidr) in the range of IPPool \(pool.name) has addresses in use, and is none of "
            + "its blocks of /\(pool.pool.blockSize); continue when they are gone, or go back")
      }
      try await removeBlocks(in: range)
      return false
    }
    return try await write(resource, over: pool)
  }

  private func delete(_ pool: StoredPool, _ role: PoolProcedure.Role) async throws -> Bool {
    guard let range = pool.pool.cidr else { return false }
    try await surroundings.pause(Self.settlePause)
    if try await reader.holdings(in: range).use.addresses > 0 { return false }
    try await removeBlocks(in: range)
    guard try await reader.holdings(in: range).blocks.isEmpty else { return false }
    return try await commit(Change(pool.resource.key, base: .revision(pool.revision), final: .delete))
  }

  private func clear(_ role: PoolProcedure.Role, _ run: ProcedureRun) async throws -> Bool {
    let range = role == .source ? run.procedure.sourceRange : run.deletedStandIn?.pool.cidr
    guard let range else { return false }
    try await removeBlocks(in: range)
    return try await reader.holdings(in: range).blocks.isEmpty
  }

  /// Gives up the blocks in a range, and deletes them; those with addresses stay.
  private func removeBlocks(in range: CIDR) async throws {
    let runner = OperationRunner(store)
    do {
      _ = try await runner.run(
        ReleaseAffinities(.pool(range), mustBeEmpty: true, time: surroundings.now()), deadline: deadline)
    } catch let error as EngineError where error.code == .blockNotEmpty {
      return
    }
    for block in try await reader.holdings(in: range).blocks where block.affinity == nil && block.addresses == 0 {
      _ = try await runner.run(DeleteEmptyBlock(block.cidr, time: surroundings.now()), deadline: deadline)
    }
  }

  // MARK: - Writing

  private var deadline: Deadline { .after(milliseconds: Self.storePatience) }

  /// Writes a pool over the one that was read.
  ///
  /// - Returns: whether it was written; when not, others changed the pool, or nobody knows.
  func write(_ resource: Resource, over pool: StoredPool) async throws -> Bool {
    try await commit(
      Change(resource.key, base: .revision(pool.revision), final: .value(.resource(resource.encoded()))))
  }

  private func commit(_ change: Change) async throws -> Bool {
    switch try await store.commit(Plan([change], durability: .disk), deadline: deadline) {
    case .applied: return true
    case .conflict, .unknown: return false
    }
  }
}

extension ProcedureRun {
  /// What a pool is created as; nil when this run does not know.
  fileprivate func document(_ role: PoolProcedure.Role, uid: String, createdAt: String) -> Resource? {
    switch role {
    case .source: return procedure.goal.map { procedure.source($0, uid: uid, createdAt: createdAt) }
    case .standIn:
      var resource = newStandIn
      resource?.uid = uid
      resource?.creationTimestamp = createdAt
      return resource
    }
  }
}

extension IPPoolRules {
  /// Fills a new pool's defaults in; the source is written as it was, whatever it leaves out, and only compared.
  fileprivate static func prepared(
    _ pool: Resource, beside others: [IPPool], unless procedure: PoolProcedure, _ role: PoolProcedure.Role
  ) throws(ResourceError) -> Resource {
    let prepared = try prepared(pool, beside: others)
    return role == .source ? pool : prepared
  }
}
