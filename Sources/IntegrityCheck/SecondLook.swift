import CalicoModel
import Datastore
import IPAddressing

/// Looks again at entries that did not fit, one by one: handles and affinities before the blocks that tell about them, so
/// that no count can be newer than what it is compared with.
struct SecondLook {
  let store: any Datastore
  let millisecondsPerRead: UInt64
  /// Seconds before a released address is free again.
  let cooldown: Int

  /// How many entries are read at once: a full block has 16 KiB.
  private static let readsAtOnce = 64

  // MARK: Reading

  /// Some entries; nil where there is none.
  func entries(_ keys: [Key]) async throws -> [Key: Stored] {
    var found: [Key: Stored] = [:]
    for start in stride(from: 0, to: keys.count, by: Self.readsAtOnce) {
      let batch = Array(keys[start..<min(keys.count, start + Self.readsAtOnce)])
      let results = try await store.read(
        batch.map { .entry($0) }, deadline: .after(milliseconds: millisecondsPerRead))
      for (key, result) in zip(batch, results) {
        if case .entry(let stored?) = result { found[key] = stored }
      }
    }
    return found
  }

  // MARK: Handles

  /// What is wrong with some handles now.
  func faults(ofHandles suspects: ArraySlice<HandleTable.Suspect>) async throws -> [Fault] {
    var faults: [Fault] = []
    for start in stride(from: suspects.startIndex, to: suspects.endIndex, by: Self.readsAtOnce) {
      let batch = suspects[start..<min(suspects.endIndex, start + Self.readsAtOnce)]
      let handles = try await entries(batch.map { .handle($0.name) })
      var blocks: Set<CIDR> = []
      for suspect in batch {
        blocks.formUnion(suspect.blocks)
        if let handle = try? handles[.handle(suspect.name)]?.handle() { blocks.formUnion(handle.counts.keys) }
      }
      let found = try await entries(blocks.map { .block($0) })
      for suspect in batch {
        if let fault = Self.fault(suspect, handles[.handle(suspect.name)], found) { faults.append(fault) }
      }
    }
    return faults
  }

  private static func fault(
    _ suspect: HandleTable.Suspect, _ stored: Stored?, _ found: [Key: Stored]
  ) -> Fault? {
    let handle: IPAMHandle?
    do throws(ModelError) { handle = try stored?.handle() } catch {
      return Fault(.unreadable(KeyPath.path(of: .handle(suspect.name))), revision: stored?.revision, text: "\(error)")
    }
    let named = Set(handle?.counts.keys.map { $0 } ?? []).union(suspect.blocks)
    var truth: [CIDR: Int] = [:]
    for cidr in named {
      guard let stored = found[.block(cidr)] else { continue }
      // What a block holds that cannot be read is not known.
      guard let block = try? stored.block(cidr) else { return nil }
      let held = block.ordinals(ofHandle: suspect.name).count
      if held > 0 { truth[cidr] = held }
    }
    let held = truth.values.reduce(0, +)
    let blocks = named.sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
    guard let handle, let stored else {
      guard held > 0 else { return nil }
      return Fault(
        .handle(suspect.name, Fault.Handle(blocks: blocks, counted: nil, held: held)), revision: nil,
        text: "it is missing, and holds \(Self.addresses(held))")
    }
    guard handle.counts != truth || handle.isEmpty else { return nil }
    let counted = handle.counts.values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    return Fault(
      .handle(suspect.name, Fault.Handle(blocks: blocks, counted: counted, held: held)), revision: stored.revision,
      text: held == 0 ? "it holds no address" : "it counts \(Self.addresses(counted)) and holds \(held)")
  }

  private static func addresses(_ count: Int) -> String { count == 1 ? "1 address" : "\(count) addresses" }

  // MARK: Affinities

  /// What is wrong with some affinities now.
  func faults(ofAffinities suspects: ArraySlice<AffinityTable.Suspect>) async throws -> [Fault] {
    var faults: [Fault] = []
    for start in stride(from: suspects.startIndex, to: suspects.endIndex, by: Self.readsAtOnce) {
      let batch = suspects[start..<min(suspects.endIndex, start + Self.readsAtOnce)]
      let claims = try await entries(batch.map { .affinity($0.owner, $0.cidr) })
      let blocks = try await entries(Set(batch.map(\.cidr)).map { .block($0) })
      for suspect in batch {
        let claim = claims[.affinity(suspect.owner, suspect.cidr)]
        if let fault = Self.fault(suspect, claim, blocks[.block(suspect.cidr)]) { faults.append(fault) }
      }
    }
    return faults
  }

  private static func fault(_ suspect: AffinityTable.Suspect, _ claim: Stored?, _ stored: Stored?) -> Fault? {
    let state: BlockAffinity.State?
    do throws(ModelError) { state = try claim?.affinity().state } catch {
      let path = KeyPath.path(of: .affinity(suspect.owner, suspect.cidr))
      return Fault(.unreadable(path), revision: claim?.revision, text: "\(error)")
    }
    let block: IPAMBlock?
    do throws(ModelError) { block = try stored?.block(suspect.cidr) } catch { return nil }
    let isOwners = block?.affinity == suspect.owner.description
    guard let claim, let state else {
      guard isOwners else { return nil }
      return Fault(
        .openAffinity(suspect.owner, suspect.cidr), revision: nil, text: "it is missing, and the block is its owner's")
    }
    if isOwners {
      guard state != .confirmed, state != .unstated else { return nil }
      return Fault(
        .openAffinity(suspect.owner, suspect.cidr), revision: claim.revision,
        text: "it is \(state.name), and the block is its owner's")
    }
    let text =
      switch block {
      case nil: "there is no such block"
      case let block?: block.affinity.map { "the block belongs to \($0)" } ?? "the block belongs to nobody"
      }
    return Fault(.staleAffinity(suspect.owner, suspect.cidr), revision: claim.revision, text: text)
  }

  // MARK: Blocks

  /// What is wrong with some blocks in themselves now.
  func faults(ofBlocks suspects: ArraySlice<BlockSuspect>, at time: Timestamp) async throws -> [Fault] {
    var faults: [Fault] = []
    for start in stride(from: suspects.startIndex, to: suspects.endIndex, by: Self.readsAtOnce) {
      let batch = suspects[start..<min(suspects.endIndex, start + Self.readsAtOnce)]
      let found = try await entries(batch.map { .block($0.cidr) })
      for suspect in batch {
        guard let stored = found[.block(suspect.cidr)] else { continue }
        if let fault = BlockSuspect.fault(suspect.cidr, stored, cooldown: cooldown, at: time) { faults.append(fault) }
      }
    }
    return faults
  }
}

extension BlockAffinity.State {
  fileprivate var name: String {
    switch self {
    case .pending: "pending"
    case .confirmed: "confirmed"
    case .pendingDeletion: "pendingDeletion"
    case .unstated: "without a state"
    case .other(let text): "\"\(text)\""
    }
  }
}

/// A block that contradicts itself, or that nobody has and nobody can claim.
struct BlockSuspect {
  var cidr: CIDR
  var mark: UInt64

  /// What is wrong with a block in itself; nil when nothing is.
  static func fault(_ cidr: CIDR, _ stored: Stored, cooldown: Int, at time: Timestamp) -> Fault? {
    guard var block = try? stored.block(cidr), block.isSound(at: time) else {
      return invalidity(cidr, stored, at: time)
    }
    _ = block.collect(time: time, cooldown: cooldown)
    guard block.affinity == nil, block.isEmpty else { return nil }
    return Fault(.emptyBlock(cidr), revision: stored.revision, text: "it is empty and belongs to nobody")
  }

  private static func invalidity(_ cidr: CIDR, _ stored: Stored, at time: Timestamp) -> Fault? {
    let reason: String
    do throws(ModelError) {
      guard let text = try BlockRecord(stored, cidr).invalidity(at: time) else {
        // It is sound for calicoctl; what this version cannot read is told in its own words.
        _ = try stored.block(cidr)
        return nil
      }
      reason = text
    } catch {
      reason = error.description
    }
    let isReadable = (try? IPAMBlock.mended(decoding: stored.bytes, expected: cidr, at: time)) != nil
    return Fault(.block(cidr, isReadable: isReadable), revision: stored.revision, text: reason)
  }
}
