import CalicoModel
import Datastore
import IPAddressing

// Calico IPAM specification, section 3.2.

extension UpstreamRun {
  mutating func getPendingAffinity(_ cidr: CIDR) throws(UpstreamHalt) -> UpstreamAffinity {
    do throws(UpstreamHalt) {
      let revision = try create(.affinity(owner, cidr), .affinity(BlockAffinity(.pending)))
      return UpstreamAffinity(owner: owner, cidr: cidr, affinity: BlockAffinity(.pending), revision: revision)
    } catch {
      guard error.isFailure(.alreadyExists) else { throw error }
    }
    var record = try affinity(owner, cidr)
    if record.affinity.state != .confirmed { try update(&record, .pending) }
    return record
  }

  mutating func claimAffineBlock(
    _ record: UpstreamAffinity
  ) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision) {
    let block = IPAMBlock(cidr: record.cidr, owner: owner, time: now)
    do throws(UpstreamHalt) {
      let revision = try create(.block(record.cidr), .block(block))
      try confirmAffinity(record)
      return (block, revision)
    } catch {
      guard error.isFailure(.alreadyExists) else { throw error }
    }
    let existing = try self.block(record.cidr)
    if existing.block.affinity == owner.description {
      try confirmAffinity(record)
      return existing
    }
    do throws(UpstreamHalt) {
      try delete(.affinity(owner, record.cidr), record.revision)
    } catch {
      guard error.isFailure else { throw error }
    }
    throw .failed(.blockClaimConflict)
  }

  mutating func confirmAffinity(_ record: UpstreamAffinity) throws(UpstreamHalt) {
    var record = record
    do throws(UpstreamHalt) {
      try update(&record, .confirmed)
    } catch {
      guard error.isFailure else { throw error }
      do throws(UpstreamHalt) {
        if try affinity(owner, record.cidr).affinity.state == .confirmed { return }
      } catch let second {
        guard second.isFailure else { throw second }
      }
      throw error
    }
  }

  mutating func getBlockFromAffinity(
    _ record: UpstreamAffinity
  ) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision) {
    var record = record
    var found: (block: IPAMBlock, revision: Revision)
    do throws(UpstreamHalt) {
      found = try block(record.cidr)
    } catch {
      guard error.isFailure(.doesNotExist) else { throw error }
      try update(&record, .pending)
      _ = try configuration()
      return try claimAffineBlock(record)
    }
    guard found.block.affinity == owner.description else {
      try delete(.affinity(owner, record.cidr), record.revision)
      throw .failed(.staleAffinity)
    }
    if record.affinity.state != .confirmed, record.affinity.state != .unstated {
      try update(&record, .pending)
      found.revision = try update(found.block, found.revision)
      found.block.sequenceNumber += 1
      try update(&record, .confirmed)
    }
    return found
  }

  mutating func releaseBlockAffinity(
    _ configuration: IPAMConfiguration, _ owner: BlockOwner, _ cidr: CIDR, requireEmpty: Bool, sequence: UInt64? = nil
  ) throws(UpstreamHalt) {
    if owner.name.isEmpty { throw .failed(.other("Hostname must be specified to release block affinity")) }
    var record = try affinity(owner, cidr)
    let (stored, revision) = try block(cidr)
    var block = stored
    _ = block.collect(time: now, cooldown: configuration.cooldownSeconds)
    if let sequence, sequence != block.sequenceNumber {
      throw .failed(.other("IPAM block updated since we last read it"))
    }
    if let holder = block.affinity, holder != owner.description {
      do throws(UpstreamHalt) {
        try delete(.affinity(owner, cidr), record.revision)
      } catch {
        guard error.isFailure else { throw error }
      }
      throw .failed(.blockClaimConflict)
    }
    if requireEmpty, !block.isEmpty { throw .failed(.blockNotEmpty) }
    try update(&record, .pendingDeletion)
    if block.isEmpty {
      try ignoringAbsence { run throws(UpstreamHalt) in try run.delete(.block(cidr), revision) }
    } else {
      block.affinity = nil
      block.affinityClaimTime = nil
      _ = try update(block, revision)
    }
    try ignoringAbsence { run throws(UpstreamHalt) in try run.delete(.affinity(owner, cidr), record.revision) }
  }

  private mutating func ignoringAbsence(
    _ body: (inout UpstreamRun) throws(UpstreamHalt) -> Void
  ) throws(UpstreamHalt) {
    do throws(UpstreamHalt) {
      try body(&self)
    } catch {
      guard error.isFailure(.doesNotExist) else { throw error }
    }
  }
}
