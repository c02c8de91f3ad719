import CalicoModel
import Datastore
import IPAddressing
import PoolMap
import Terminal

/// What maps are drawn of: pools, their blocks and what reservations cover, as they are at one time.
struct PoolMapContents {
  /// Why a map cannot be drawn, and what to ask for instead.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// A pool that is to be drawn, or a part of it.
  private struct Target {
    var pool: IPPool
    var part: CIDR?
    var range: CIDR
  }

  /// The maps, in the order of the names of pools.
  private(set) var maps: [MappedPool] = []
  /// Entries that are left out, and why.
  private(set) var warnings: [String] = []

  /// Reads.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - wanted: the name or the range of a pool, or a part of one: a network, or an address, which stands for its block;
  ///     nil for all pools.
  /// - Returns: what there is to draw.
  /// - Throws: ``Refusal`` when there is no such pool; or what the datastore throws.
  static func read(_ session: Session, _ wanted: String?) async throws -> PoolMapContents {
    var contents = PoolMapContents()
    try await contents.fill(session, wanted)
    return contents
  }

  private mutating func fill(_ session: Session, _ wanted: String?) async throws {
    let targets = try await targets(session, wanted)
    let reserved = try await reservations(session)
    let cooldown = try await session.configuration().configuration.cooldownSeconds
    let time = session.now()
    var blocks: [MappedBlock] = []
    var unreadable: [String] = []
    var orphans = 0
    try await session.forEachBlock { cidr, stored in
      guard targets.contains(where: { $0.range.overlaps(cidr) }) else {
        orphans += 1
        return
      }
      do throws(ModelError) {
        var block = try stored.block(cidr)
        // What has cooled down is free for the next request, although nobody has written it down yet.
        _ = block.collect(time: time, cooldown: cooldown)
        blocks.append(MappedBlock(block, reserved: reserved))
      } catch {
        blocks.append(MappedBlock(unreadable: cidr))
        unreadable.append("warning: block \(cidr) cannot be read: \(error); 'ipamctl ipam check' tells more")
      }
    }
    warnings += unreadable
    if wanted == nil, orphans > 0 {
      warnings.append("note: \(orphans.of("block")) in no pool; 'ipamctl ipam show --show-blocks' lists them")
    }
    blocks += try await claims(session, targets.map(\.range), besides: Set(blocks.map(\.cidr)), reserved)
    maps = targets.compactMap { MappedPool($0.pool, part: $0.part, blocks: blocks, reserved: reserved) }
  }

  // MARK: Pools

  private mutating func targets(_ session: Session, _ wanted: String?) async throws -> [Target] {
    var targets: [Target] = []
    for item in try await session.items(.resources(.ipPool)) {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      do {
        let pool = try IPPool(decoding: stored.bytes, name: name)
        guard let range = pool.cidr, pool.hasUsableBlockSize else {
          let reason = "it cannot be cut into blocks of its size"
          warnings.append("warning: IPPool \(PrintableText.of(name)) is left out: \(reason)")
          continue
        }
        targets.append(Target(pool: pool, part: nil, range: range))
      } catch {
        warnings.append("warning: IPPool \(PrintableText.of(name)) cannot be read and is left out: \(error)")
      }
    }
    guard let wanted else { return targets }
    if let target = targets.first(where: { $0.pool.name == wanted }) { return [target] }
    guard let range = CIDR(wanted)?.canonical ?? IPAddress(wanted).map({ CIDR(host: $0) }) else {
      throw Refusal(description: Self.absence("named '\(PrintableText.of(wanted))'", targets))
    }
    guard var target = targets.first(where: { $0.range.contains(range) }) else {
      throw Refusal(description: Self.absence("that contains \(range)", targets))
    }
    if target.range != range {
      // What is smaller than a block stands for it.
      let length = min(range.prefixLength, target.pool.blockSize)
      target.part = CIDR(range.network, prefixLength: length)?.canonical ?? range
      target.range = target.part ?? range
    }
    return [target]
  }

  private static func absence(_ what: String, _ targets: [Target]) -> String {
    let pools = targets.map { "\(PrintableText.of($0.pool.name)) (\($0.range))" }.joined(separator: ", ")
    return "there is no IP pool \(what); " + (pools.isEmpty ? "there is none at all" : "the pools are: \(pools)")
  }

  // MARK: Reservations and claims

  private mutating func reservations(_ session: Session) async throws -> AddressSet {
    var reserved = ReservedAddresses()
    for item in try await session.items(.resources(.ipReservation)) {
      guard let stored = item.stored else { continue }
      do { try reserved.add(decoding: stored.bytes) } catch {
        warnings.append("warning: \(PrintableText.of("\(item.key)")) cannot be read and is left out: \(error)")
      }
    }
    return AddressSet(reserved.cidrs)
  }

  /// What nodes claim and have not made yet. An affinity to a block that exists says nothing that the block does not.
  private func claims(
    _ session: Session, _ ranges: [CIDR], besides known: Set<CIDR>, _ reserved: AddressSet
  ) async throws -> [MappedBlock] {
    var claims: [MappedBlock] = []
    for kind in BlockOwner.Kind.allCases {
      for item in try await session.items(.allAffinities(kind)) {
        guard case .affinity(let owner, let cidr) = item.key, let stored = item.stored, !known.contains(cidr),
          ranges.contains(where: { $0.overlaps(cidr) }), cidr.hostBits <= 12,
          // One that cannot be read claims nothing that could be shown; 'ipam check' is about those.
          let affinity = try? stored.affinity(), !affinity.isDeleted, affinity.state != .pendingDeletion
        else { continue }
        claims.append(MappedBlock(claimed: cidr, by: owner, reserved: reserved))
      }
    }
    return claims
  }
}
