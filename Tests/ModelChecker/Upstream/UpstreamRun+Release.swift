import CalicoModel
import Datastore
import IPAddressing

// Calico IPAM specification, sections 3.10 to 3.12 and 3.15.

extension UpstreamRun {
  mutating func releaseByHandle(_ name: String) throws(UpstreamHalt) -> ActorResult {
    let handle: IPAMHandle
    do throws(UpstreamHalt) {
      guard case .handle(let stored) = try get(.handle(name)).value else { return ActorResult() }
      handle = stored
    } catch {
      guard error.isFailure(.doesNotExist) else { throw error }
      // The plugin takes this for success.
      return ActorResult(hasReleasedHandles: true)
    }
    let configuration = try configuration()
    for cidr in handle.counts.keys.sorted(by: { $0.address < $1.address }) {
      try release(name, cidr, configuration)
    }
    return ActorResult(hasReleasedHandles: true)
  }

  private mutating func release(
    _ name: String, _ cidr: CIDR, _ configuration: IPAMConfiguration
  ) throws(UpstreamHalt) {
    for _ in 0..<Self.retries {
      let found: (block: IPAMBlock, revision: Revision)
      do throws(UpstreamHalt) {
        found = try block(cidr)
      } catch {
        guard error.isFailure(.doesNotExist) else { throw error }
        return
      }
      var block = found.block
      _ = block.collect(time: now, cooldown: configuration.cooldownSeconds)
      let ordinals = block.ordinals(ofHandle: name)
      guard !ordinals.isEmpty else { return }
      block.release(ordinals, time: now, cooldown: configuration.cooldownSeconds, renumbers: false)
      do throws(UpstreamHalt) {
        try write(block, found.revision)
      } catch {
        if error.isFailure(.updateConflict) { continue }
        // Upstream goes on and takes off the handle what another releaser has taken off already. The handle may then
        // count less than it holds: a fault of upstream's, which is left out here so that ours are seen.
        if error.isFailure(.doesNotExist) { return }
        throw error
      }
      try decrementHandleQuietly(name, cidr, by: ordinals.count)
      return try ensureConsistentAffinity(block, configuration)
    }
    throw .failed(.other("Hit max retries"))
  }

  /// Writes a block after a release: nobody's empty block is deleted.
  private mutating func write(_ block: IPAMBlock, _ revision: Revision) throws(UpstreamHalt) {
    if block.isEmpty, block.affinity == nil {
      try delete(.block(block.cidr), revision)
    } else {
      _ = try update(block, revision)
    }
  }

  mutating func releaseIPs(_ options: [ReleaseOption]) throws(UpstreamHalt) -> ActorResult {
    var result = ActorResult()
    let pools = try allPools()
    var groups: [CIDR: [ReleaseOption]] = [:]
    var listed: [CIDR]?
    for option in options {
      if let cidr = pools.lazy.compactMap({ $0.block(containing: option.address) }).first {
        groups[cidr, default: []].append(option)
        continue
      }
      if listed == nil {
        var blocks: [CIDR] = []
        for entry in try list(Listing(.blocks(option.address.family))) {
          if case .block(let cidr) = entry.key { blocks.append(cidr) }
        }
        listed = blocks
      }
      if let cidr = listed?.first(where: { $0.contains(option.address) }) { groups[cidr, default: []].append(option) }
    }
    var handles: [Key: UpstreamEntry] = [:]
    if options.count > 2 {
      for entry in try list(Listing(.handles)) { handles[entry.key] = entry }
    }
    let configuration = try configuration()
    for cidr in groups.keys.sorted(by: { $0.address < $1.address }) {
      do throws(UpstreamHalt) {
        try releaseFromBlock(cidr, groups[cidr] ?? [], handles, configuration)
        result.released += groups[cidr] ?? []
      } catch {
        guard case .failed(let failure) = error else { throw error }
        result.error = "\(failure)"
      }
    }
    return result
  }

  private mutating func releaseFromBlock(
    _ cidr: CIDR, _ options: [ReleaseOption], _ handles: [Key: UpstreamEntry], _ configuration: IPAMConfiguration
  ) throws(UpstreamHalt) {
    for _ in 0..<Self.retries {
      let found: (block: IPAMBlock, revision: Revision)
      do throws(UpstreamHalt) {
        found = try block(cidr)
      } catch {
        guard error.isFailure(.doesNotExist) else { throw error }
        return
      }
      var block = found.block
      _ = block.collect(time: now, cooldown: configuration.cooldownSeconds)
      let outcome: ReleaseOutcome
      do {
        outcome = try block.release(options, time: now, cooldown: configuration.cooldownSeconds)
      } catch {
        throw .failed(.other("\(error)"))
      }
      if outcome.unallocated.count == options.count { return }
      do throws(UpstreamHalt) {
        try write(block, found.revision)
      } catch {
        if error.isFailure(.updateConflict) { continue }
        throw error
      }
      for (name, count) in outcome.countByHandle.sorted(by: { $0.key < $1.key }) {
        // A copy for each decrement: sharing one breaks counts (8.3, D28), which is upstream's fault and known.
        try decrementHandleQuietly(name, cidr, by: count, cached: handles[.handle(name)])
      }
      return try ensureConsistentAffinity(block, configuration)
    }
    throw .failed(.other("Max retries hit"))
  }

  /// Failures are only logged.
  private mutating func ensureConsistentAffinity(
    _ block: IPAMBlock, _ configuration: IPAMConfiguration
  ) throws(UpstreamHalt) {
    guard let owner = block.owner, !owner.name.isEmpty else { return }
    do throws(UpstreamHalt) {
      let labels = try labels(of: owner.name)
      let pools = try enabledPools(block.cidr.address.family)
      guard let pool = pools.first(where: { $0.cidr?.contains(block.cidr.address) ?? false }),
        !Self.isSelected(pool, labels)
      else { return }
      try releaseBlockAffinity(configuration, owner, block.cidr, requireEmpty: true)
    } catch {
      guard error.isFailure else { throw error }
    }
  }

  mutating func releaseHostAffinities(mustBeEmpty: Bool) throws(UpstreamHalt) -> ActorResult {
    var result = ActorResult()
    let configuration = try configuration()
    var blocks: [CIDR] = []
    for family in [AddressFamily.v4, .v6] {
      for entry in try list(Listing(.affinities(owner, family))) {
        if case .affinity(_, let cidr) = entry.key { blocks.append(cidr) }
      }
    }
    for cidr in blocks {
      for _ in 0..<Self.retries {
        do throws(UpstreamHalt) {
          try releaseBlockAffinity(configuration, owner, cidr, requireEmpty: mustBeEmpty)
          break
        } catch {
          guard case .failed(let failure) = error else { throw error }
          if failure == .updateConflict { continue }
          if failure != .blockClaimConflict, failure != .doesNotExist { result.error = "\(failure)" }
          break
        }
      }
    }
    return result
  }
}
