import CalicoModel
import Datastore
import IPAddressing
import Terminal

// What is read, and what is said of it while it is.

extension IntegrityCheck {
  /// Reads handles and affinities, and then blocks, so that whatever a handle counts was written to a block before or
  /// is found out at the second look.
  ///
  /// - Throws: `DatastoreError` when the store cannot be read.
  public mutating func loadEntries() async throws {
    let (store, milliseconds) = (store, options.millisecondsPerPage)
    if case .entry(let stored?)? = try await store.read(
      [.entry(.configuration)], deadline: .after(milliseconds: milliseconds)
    ).first {
      cooldown = (try? stored.configuration())?.cooldownSeconds ?? 0
    }
    try await store.scan(.handles, millisecondsPerPage: milliseconds) { takeHandle($0) }
    for kind in BlockOwner.Kind.allCases {
      try await store.scan(.allAffinities(kind), millisecondsPerPage: milliseconds) { takeAffinity($0) }
    }
    line("Loading all IPAM blocks...")
    let time = now()
    try await store.scan(.blocks(nil), millisecondsPerPage: milliseconds) { takeBlock($0, at: time) }
    allocations.sort()
    line("Found \(allocations.blocks.count + unreadableBlocks.count) IPAM blocks.")
    if options.showsAll { try await printAllocations() } else { printBlocks() }
    line("IPAM blocks record \(allocations.count) allocations.")
    line()
  }

  private mutating func takeHandle(_ found: ScannedEntry) {
    guard case .entry(.handle(let name), let stored) = found else { return takeOddity(found) }
    do throws(ModelError) { handles.add(name, try stored.handle().counts, stored.revision) } catch {
      oddities.append(
        Fault(.unreadable(KeyPath.path(of: .handle(name))), revision: stored.revision, text: error.description))
    }
  }

  private mutating func takeAffinity(_ found: ScannedEntry) {
    guard case .entry(.affinity(let owner, let cidr), let stored) = found else { return takeOddity(found) }
    do throws(ModelError) { affinities.add(owner, cidr, try stored.affinity(), stored.revision) } catch {
      let path = KeyPath.path(of: .affinity(owner, cidr))
      oddities.append(Fault(.unreadable(path), revision: stored.revision, text: error.description))
    }
  }

  /// What is in the place of an entry and is none.
  private mutating func takeOddity(_ found: ScannedEntry) {
    switch found {
    case .entry: return
    case .halfDeleted(let key, let stored): remains[key] = stored.revision.mark
    case .unreadable(let name, let reason):
      let fault = Fault(.unreadable(name), revision: nil, text: reason)
      // Where the store has affinities of both kinds in one place, both listings tell of it.
      if !oddities.contains(fault) { oddities.append(fault) }
    }
  }

  // MARK: Blocks

  private mutating func takeBlock(_ found: ScannedEntry, at time: Timestamp) {
    guard case .entry(.block(let cidr), let stored) = found else { return takeOddity(found) }
    let suspect = BlockSuspect(cidr: cidr, mark: stored.revision.mark)
    guard let block = try? stored.block(cidr) else {
      blockSuspects.append(suspect)
      return takeBroken(cidr, stored)
    }
    if !block.isSound(at: time) || block.affinity == nil && isEmpty(block, at: time) { blockSuspects.append(suspect) }
    take(block)
  }

  private func isEmpty(_ block: IPAMBlock, at time: Timestamp) -> Bool {
    var block = block
    _ = block.collect(time: time, cooldown: cooldown)
    return block.isEmpty
  }

  private mutating func take(_ block: IPAMBlock) {
    let host = Self.host(of: block.affinity)
    // Many ordinals may share an attribute, and most have one of their own: each is looked at once.
    var known = [(handle: Int32, node: String, traits: AllocationTable.Traits)?](
      repeating: nil, count: block.attributes?.count ?? 0)
    var rows: [AllocationTable.Row] = []
    var held: [Int32: Int] = [:]
    for ordinal in 0..<block.size {
      let index = Int(block.allocations[ordinal])
      guard index >= 0, let attribute = block.attribute(at: ordinal) else { continue }
      let facts = known[index] ?? facts(of: attribute)
      known[index] = facts
      if facts.handle >= 0, !facts.traits.contains(.isWindowsReservation) { held[facts.handle, default: 0] += 1 }
      let row = AllocationTable.Row(
        ordinal: ordinal, handle: facts.handle, node: facts.node.isEmpty ? host : facts.node,
        number: block.allocationNumbers[ordinal] ?? 0, traits: facts.traits)
      rows.append(row)
      note(row, attribute, block.address(at: ordinal), host: host, index: allocations.count + rows.count - 1)
    }
    for (handle, count) in held { handles.hold(handle, block.cidr, count) }
    allocations.add(block.cidr, affinity: block.affinity, rows)
  }

  private mutating func facts(
    of attribute: AllocationAttribute
  ) -> (handle: Int32, node: String, traits: AllocationTable.Traits) {
    let handle = attribute.sanitizedHandleID.flatMap { $0.isEmpty ? nil : handles.index(of: $0) } ?? -1
    var traits: AllocationTable.Traits = attribute.releasedAt == nil ? [] : .cools
    if attribute.isWindowsReservation { traits.formUnion([.isWindowsReservation, .isUsed]) }
    if attribute.isBlank { traits.insert(.isUnowned) }
    return (handle, attribute.hasOwnerAttributes ? attribute.ownerAttribute("node") ?? "" : "", traits)
  }

  /// Takes in what a block says that contradicts itself. Its handles are not compared.
  private mutating func takeBroken(_ cidr: CIDR, _ stored: Stored) {
    guard let record = try? BlockRecord(stored, cidr), cidr.hostBits <= 16 else {
      unreadableBlocks.insert(cidr)
      return
    }
    brokenBlocks.insert(cidr)
    let host = Self.host(of: record.affinity)
    var rows: [AllocationTable.Row] = []
    for (ordinal, index) in record.allocations.enumerated() {
      guard let index, let address = record.address(at: ordinal) else { continue }
      let attribute = record.attribute(index)
      var traits: AllocationTable.Traits = attribute?.releasedAt == nil ? [] : .cools
      if attribute?.isWindowsReservation == true { traits.formUnion([.isWindowsReservation, .isUsed]) }
      let handle = attribute?.sanitizedHandleID.map { handles.index(of: $0) } ?? -1
      let node = attribute?.owner["node"] ?? ""
      let row = AllocationTable.Row(
        ordinal: ordinal, handle: handle, node: node.isEmpty ? host : node, number: record.numbers[ordinal] ?? 0,
        traits: traits)
      rows.append(row)
      note(row, nil, address, host: host, index: allocations.count + rows.count - 1)
      if handle >= 0, !traits.contains(.isWindowsReservation) { handles.hold(handle, cidr, 1) }
    }
    allocations.add(cidr, affinity: record.affinity, rows)
  }

  private func note(
    _ row: AllocationTable.Row, _ attribute: AllocationAttribute?, _ address: IPAddress, host: String, index: Int
  ) {
    record?(
      AllocationEntry(
        index: index, address: address, attribute: attribute, sequenceNumber: row.number, node: row.node,
        isBorrowed: row.node != host))
  }

  /// The host that a block is affine to; empty for nobody's.
  static func host(of affinity: String?) -> String {
    let parts = (affinity ?? "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? String(parts[1]) : ""
  }

  // MARK: Lines

  private func head(_ block: AllocationTable.Block) -> String {
    let affinity = block.owner.map { PrintableText.of(allocations.owners[$0]) } ?? "<none>"
    return " IPAM block \(block.cidr) affinity=\(affinity):"
  }

  private func printBlocks() {
    for block in allocations.blocks { line(head(block)) }
  }

  /// Prints every address. What is recorded of its owner is read once more, so that it need not be kept.
  private func printAllocations() async throws {
    let look = SecondLook(store: store, millisecondsPerRead: options.millisecondsPerPage, cooldown: cooldown)
    for start in stride(from: 0, to: allocations.blocks.count, by: 64) {
      let batch = allocations.blocks[start..<min(allocations.blocks.count, start + 64)]
      let found = try await look.entries(batch.map { .block($0.cidr) })
      for block in batch {
        line(head(block))
        guard let record = found[.block(block.cidr)].flatMap({ try? BlockRecord($0, block.cidr) }) else { continue }
        for (ordinal, index) in record.allocations.enumerated() {
          guard let index, let address = record.address(at: ordinal) else { continue }
          let attribute = record.attribute(index)
          if attribute?.isWindowsReservation == true { line("  \(address) belongs to Reserved for Windows") }
          line("  \(address) allocated; attrs \(attribute?.text ?? "<missing>")")
        }
      }
    }
  }

  /// Reads the pools that are not disabled.
  public mutating func loadPools() async throws {
    line("Loading all IPAM pools...")
    var pools: [IPPool] = []
    try await store.scan(.resources(.ipPool), millisecondsPerPage: options.millisecondsPerPage) { found in
      guard case .entry(.resource(_, let name), let stored) = found,
        let pool = try? IPPool(decoding: stored.bytes, name: name), !pool.isDisabled
      else { return }
      pools.append(pool)
    }
    activePools = pools
    for pool in pools { line("  \(pool.writtenCIDR)") }
    line("Found \(pools.count) active IP pools.")
    line()
  }

  /// Reads the nodes: who has a tunnel's address.
  public mutating func loadNodes() async throws {
    line("Loading all nodes.")
    var tunnels: [(node: String, address: IPAddress)] = []
    try await store.scan(.resources(.node), millisecondsPerPage: options.millisecondsPerPage) { found in
      guard case .entry(.resource(_, let name), let stored) = found,
        let node = try? Resource(stored: stored.bytes, kind: .node, name: name)
      else { return }
      tunnels += NodeAddresses.tunnels(node.specification).map { (name, $0) }
      nodeNames.insert(name)
    }
    for tunnel in tunnels { use(tunnel.address, by: User("Node(\(tunnel.node))")) }
    line("Found \(tunnels.count) node tunnel IPs.")
    line()
  }
}
