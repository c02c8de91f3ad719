import CalicoModel
import Datastore
import IPAddressing

// Calico IPAM specification, sections 3.3 to 3.6.

/// What a request of upstream's is bound by.
struct UpstreamScope {
  var configuration: IPAMConfiguration
  var reserved: ReservedAddresses
  var pools: [IPPool] = []
  var candidates: [CIDR] = []

  /// The blocks of a pool; every order is compatible.
  func blocks(of pool: IPPool, _ owner: BlockOwner) -> [CIDR] {
    guard let cidr = pool.cidr, let bits = cidr.subnetBits(pool.blockSize) else { return [] }
    let start = owner.name.utf8.reduce(0) { ($0 * 31 + Int($1)) % 64 }
    return (0..<(1 << bits)).compactMap {
      cidr.subnet(at: UInt128((start + $0) % (1 << bits)), prefixLength: pool.blockSize)
    }
  }

  func free(in block: IPAMBlock) -> Int { block.freeCount { reserved.contains($0) } }
}

extension UpstreamRun {
  static func isSelected(_ pool: IPPool, _ labels: [String: String]) -> Bool {
    (try? Selector(pool.nodeSelector).matches(labels)) ?? false
  }

  mutating func prepareAffinityBlocks(_ scope: inout UpstreamScope, _ family: AddressFamily) throws(UpstreamHalt) {
    let labels = try labels(of: owner.name)
    let enabled = try enabledPools(family)
    if enabled.isEmpty { throw .failed(.other("cannot find a qualified ippool")) }
    scope.pools = enabled.filter { $0.isAutomatic && Self.isSelected($0, labels) }
    if scope.pools.isEmpty { throw .failed(.other("no configured Calico pools for node \(owner.name)")) }
    let affinities = try list(Listing(.affinities(owner, family)))
    for entry in affinities {
      guard case .affinity(_, let cidr) = entry.key else { continue }
      if scope.pools.contains(where: { $0.cidr?.contains(cidr) ?? false }) {
        scope.candidates.append(cidr)
        continue
      }
      guard let pool = enabled.first(where: { $0.cidr?.contains(cidr) ?? false }), !Self.isSelected(pool, labels)
      else { continue }
      for _ in 0..<Self.retries {
        do throws(UpstreamHalt) {
          try releaseBlockAffinity(scope.configuration, owner, cidr, requireEmpty: true)
          break
        } catch {
          guard error.isFailure else { throw error }
          if error.isFailure(.blockClaimConflict, .blockNotEmpty, .doesNotExist) { break }
        }
      }
    }
  }

  /// Finds a block with room, or claims one (3.5).
  mutating func findOrClaimBlock(
    _ scope: inout UpstreamScope, mayClaim: Bool, _ family: AddressFamily
  ) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision, isNew: Bool) {
    while !scope.candidates.isEmpty {
      let cidr = scope.candidates.removeFirst()
      if scope.reserved.covers(cidr) { continue }
      if let found = try candidate(cidr, scope) { return (found.block, found.revision, false) }
    }
    guard mayClaim else { throw .failed(.blockLimit) }
    guard scope.configuration.autoAllocateBlocks else { throw .failed(.other("failed to find or claim a block")) }
    for _ in 0..<Self.retries {
      let cidr = try findUsableBlock(scope)
      for _ in 0..<Self.retries {
        do throws(UpstreamHalt) {
          let record = try getPendingAffinity(cidr)
          var found = try getBlockFromAffinity(record)
          _ = found.block.collect(time: now, cooldown: scope.configuration.cooldownSeconds)
          guard scope.free(in: found.block) >= 1 else { throw .failed(.other("Block '\(cidr)' has 0 free ips")) }
          return (found.block, found.revision, true)
        } catch {
          if error.isFailure(.updateConflict) { continue }
          if error.isFailure(.blockClaimConflict, .staleAffinity) { break }
          throw error
        }
      }
    }
    throw .failed(.other("Max retries hit"))
  }

  private mutating func candidate(
    _ cidr: CIDR, _ scope: UpstreamScope
  ) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision)? {
    for _ in 0..<Self.retries {
      do throws(UpstreamHalt) {
        let record = try affinity(owner, cidr)
        var found = try getBlockFromAffinity(record)
        _ = found.block.collect(time: now, cooldown: scope.configuration.cooldownSeconds)
        return scope.free(in: found.block) >= 1 ? found : nil
      } catch {
        guard error.isFailure else { throw error }
        guard error.isFailure(.updateConflict) else { return nil }
      }
    }
    return nil
  }

  private mutating func findUsableBlock(_ scope: UpstreamScope) throws(UpstreamHalt) -> CIDR {
    var blocks: [CIDR: IPAMBlock] = [:]
    for entry in try list(Listing(.blocks(nil))) {
      guard case .block(let cidr) = entry.key, case .block(var block) = entry.value else { continue }
      _ = block.collect(time: now, cooldown: scope.configuration.cooldownSeconds)
      blocks[cidr] = block
    }
    var empty: [IPAMBlock] = []
    for pool in scope.pools {
      for cidr in scope.blocks(of: pool, owner) where !scope.reserved.covers(cidr) {
        guard let block = blocks[cidr] else { return cidr }
        guard scope.free(in: block) > 0 else { continue }
        if block.affinity == owner.description { return cidr }
        if block.isEmpty { empty.append(block) }
      }
    }
    for block in empty {
      if let time = block.affinityClaimTime, time.advanced(bySeconds: 60) > now { continue }
      do throws(UpstreamHalt) {
        try releaseBlockAffinity(
          scope.configuration, block.owner ?? BlockOwner(.host, ""), block.cidr, requireEmpty: true,
          sequence: block.sequenceNumber)
        return block.cidr
      } catch {
        guard error.isFailure else { throw error }
      }
    }
    throw .failed(.noFreeBlocks)
  }
}
