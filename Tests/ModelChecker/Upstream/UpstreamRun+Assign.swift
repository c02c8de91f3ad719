import CalicoModel
import Datastore
import IPAddressing

// Calico IPAM specification, sections 3.7 and 3.9.

extension UpstreamRun {
  mutating func autoAssign(v4: Int, v6: Int, handle: String?) throws(UpstreamHalt) -> ActorResult {
    var result = ActorResult()
    for (family, count) in [(AddressFamily.v4, v4), (.v6, v6)] where count > 0 {
      do throws(UpstreamHalt) {
        try autoAssign(count, family, handle, &result)
      } catch {
        guard case .failed(let failure) = error else { throw error }
        result.error = "\(failure)"
        return result
      }
    }
    return result
  }

  private mutating func autoAssign(
    _ count: Int, _ family: AddressFamily, _ handle: String?, _ result: inout ActorResult
  ) throws(UpstreamHalt) {
    var scope = UpstreamScope(configuration: try configuration(), reserved: try reservations())
    try prepareAffinityBlocks(&scope, family)
    let maximum = scope.configuration.maxBlocksPerHost
    let limit = maximum > 0 ? maximum : IPAMConfiguration.defaultMaxBlocksPerHost
    var owned = scope.candidates.count
    let wanted = result.acquired.count + count
    while result.acquired.count < wanted {
      let found: (block: IPAMBlock, revision: Revision, isNew: Bool)
      do throws(UpstreamHalt) {
        found = try findOrClaimBlock(&scope, mayClaim: owned < limit, family)
      } catch {
        if error.isFailure(.noFreeBlocks) { break }
        throw error
      }
      if found.isNew { owned += 1 }
      result.acquired += try assign(
        wanted - result.acquired.count, from: (found.block, found.revision), handle, scope,
        isStrict: scope.configuration.strictAffinity)
    }
    guard !scope.configuration.strictAffinity else { return }
    for pool in scope.pools {
      for cidr in scope.blocks(of: pool, owner) where !scope.reserved.covers(cidr) {
        guard result.acquired.count < wanted else { return }
        do throws(UpstreamHalt) {
          result.acquired += try assign(
            wanted - result.acquired.count, from: try block(cidr), handle, scope, isStrict: false)
        } catch {
          guard error.isFailure else { throw error }
        }
      }
    }
  }

  /// Assigns from a block until it is written, or given up.
  private mutating func assign(
    _ count: Int, from found: (block: IPAMBlock, revision: Revision), _ handle: String?, _ scope: UpstreamScope,
    isStrict: Bool
  ) throws(UpstreamHalt) -> [ReportedAddress] {
    var found = found
    for _ in 0..<Self.retries {
      do throws(UpstreamHalt) {
        return try assignFromBlock(count, found, handle, scope, isStrict: isStrict)
      } catch {
        guard error.isFailure else { throw error }
        guard error.isFailure(.updateConflict) else { return [] }
        do throws(UpstreamHalt) {
          found = try block(found.block.cidr)
        } catch {
          guard error.isFailure else { throw error }
          return []
        }
      }
    }
    return []
  }

  private mutating func assignFromBlock(
    _ count: Int, _ found: (block: IPAMBlock, revision: Revision), _ handle: String?, _ scope: UpstreamScope,
    isStrict: Bool
  ) throws(UpstreamHalt) -> [ReportedAddress] {
    var block = found.block
    _ = block.collect(time: now, cooldown: scope.configuration.cooldownSeconds)
    guard block.admits(owner, strictly: isStrict) else { throw .failed(.other("Block affinity does not match")) }
    let number = block.sequenceNumber
    let attribute = AllocationAttribute(handleID: handle)
    let reserved = scope.reserved
    let ordinals = block.assign(count, attribute: attribute) { reserved.contains($0) }
    guard !ordinals.isEmpty else { return [] }
    // By what was asked for, not by what was got (8.3, D1).
    if let handle { try incrementHandle(handle, block.cidr, by: count) }
    do throws(UpstreamHalt) {
      _ = try update(block, found.revision)
    } catch {
      guard error.isFailure else { throw error }
      if let handle { try decrementHandleQuietly(handle, block.cidr, by: count) }
      throw error
    }
    return ordinals.map { ReportedAddress(address: block.address(at: $0), number: number) }
  }

  mutating func assign(_ address: IPAddress, handle: String?) throws(UpstreamHalt) -> ActorResult {
    let pool = try enabledPools(address.family).first { $0.cidr?.contains(address) ?? false }
    guard let cidr = pool?.block(containing: address) else { throw .failed(.other("not in a configured pool")) }
    let configuration = try configuration()
    for _ in 0..<Self.retries {
      guard let found = try blockOrClaim(cidr) else { continue }
      var block = found.block
      _ = block.collect(time: now, cooldown: configuration.cooldownSeconds)
      guard block.admits(owner, strictly: configuration.strictAffinity) else {
        throw .failed(.other("Block host affinity does not match"))
      }
      let number = block.sequenceNumber
      guard let ordinal = block.ordinal(of: address),
        block.assign(ordinal: ordinal, attribute: AllocationAttribute(handleID: handle))
      else { throw .failed(.alreadyExists) }
      if let handle { try incrementHandle(handle, cidr, by: 1) }
      do throws(UpstreamHalt) {
        _ = try update(block, found.revision)
        return ActorResult(acquired: [ReportedAddress(address: address, number: number)])
      } catch {
        guard error.isFailure else { throw error }
        // The count stays when there was a conflict (8.3, D2).
        if error.isFailure(.updateConflict) { continue }
        if let handle { try decrementHandleQuietly(handle, cidr, by: 1) }
        throw error
      }
    }
    throw .failed(.other("Max retries hit"))
  }

  /// A block, claimed if there was none; nil to try again.
  private mutating func blockOrClaim(
    _ cidr: CIDR
  ) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision)? {
    do throws(UpstreamHalt) {
      return try block(cidr)
    } catch {
      guard error.isFailure(.doesNotExist) else { throw error }
    }
    _ = try configuration()
    do throws(UpstreamHalt) {
      let record = try getPendingAffinity(cidr)
      return try claimAffineBlock(record)
    } catch {
      if error.isFailure(.updateConflict) { return nil }
      throw error
    }
  }
}
