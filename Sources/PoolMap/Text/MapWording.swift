import IPAddressing

/// What all drawings say in words. Names are as they are stored: each drawing makes them fit for where it stands.
enum MapWording {
  /// `10.65.0.0/16 · 1,024 blocks of 64 addresses`
  static func size(_ pool: MappedPool) -> String {
    let scale = pool.scale
    let addresses = NumberText.count(AddressSet(pool.cidr).count(), "address", "addresses")
    if scale.blockBits == 0 { return "\(pool.cidr) · one block of \(addresses)" }
    let hostBits = pool.cidr.address.family.bitWidth - scale.blockPrefixLength
    let blocks = NumberText.count(1 << UInt128(scale.blockBits), "block")
    return "\(pool.cidr) · room for \(blocks) of \(NumberText.count(1 << UInt128(hostBits), "address", "addresses"))"
  }

  /// How many blocks there are, and whose.
  static func holding(_ pool: MappedPool) -> String {
    let stored = UInt128(pool.blocks.count { $0.state != .claimed })
    let owners = UInt128(pool.owners.count)
    let count = stored == 0 ? "no block" : NumberText.count(stored, "block")
    var text = "\(count) \(stored > 1 ? "exist" : "exists")"
    if owners > 0 { text += ", held by \(NumberText.count(owners, "node"))" }
    if !pool.impediments.isEmpty { text += "; the pool is \(pool.impediments.joined(separator: ", "))" }
    return text
  }

  /// What the map leaves out or puts together; nil when every block has a cell.
  static func limits(_ pool: MappedPool) -> String? {
    let scale = pool.scale
    let room = NumberText.count(1 << UInt128(scale.blockBits), "block")
    let rest = "the rest of the pool is free or reserved"
    switch (scale.isComplete, scale.isAggregated) {
    case (true, false): return nil
    case (true, true):
      let blocks = NumberText.count(1 << UInt128(scale.blockPrefixLength - scale.prefixLength), "block")
      return "The pool has room for \(room), more than can be drawn: each cell is a /\(scale.prefixLength) with room "
        + "for \(blocks)."
    case (false, false):
      if pool.cells.isEmpty { return "The pool has room for \(room), more than can be drawn. None exists yet." }
      return "The pool has room for \(room), more than can be drawn: only those that exist are, in the order of their "
        + "addresses; \(rest). Cells side by side need not be neighbours."
    case (false, true):
      return "The pool has room for \(room), more than can be drawn: each cell is a /\(scale.prefixLength) in which "
        + "there are blocks; \(rest). Cells side by side need not be neighbours."
    }
  }

  /// What a cell is called: `block` or `/20`.
  static func cellNoun(_ pool: MappedPool) -> String {
    pool.scale.isAggregated ? "/\(pool.scale.prefixLength)" : "block"
  }

  /// A cell in a sentence: `10.65.3.0/26, node-1: 25 of 64 used, 2 of them borrowed`.
  static func label(_ cell: MapCell, of pool: MappedPool) -> String {
    "\(cell.cidr), \(standing(cell, of: pool)): \(contents(cell.counts))"
  }

  /// What stands beside a block's cells where they make one row: `node-1: 5 of 8 in use`.
  static func remark(_ block: MappedBlock) -> String { "\(standing(block)): \(contents(block.counts))" }

  /// A block in a sentence, as ``label(_:of:)-(MapCell,_)``.
  static func label(_ block: MappedBlock) -> String {
    "\(block.cidr), \(remark(block))"
  }

  /// Whether the cells of a block make one row, beside which there is room for its name and a remark.
  static func isRow(_ block: MappedBlock) -> Bool { block.uses.count <= 16 }

  private static func standing(_ cell: MapCell, of pool: MappedPool) -> String {
    let blocks = pool.blocks[cell.blocks]
    if blocks.isEmpty { return "no block" }
    if blocks.count == 1, let block = blocks.first, block.cidr == cell.cidr { return standing(block) }
    let owners = Set(blocks.compactMap(\.owner))
    let holders = owners.count == 1 ? owners.first ?? "" : NumberText.count(UInt128(owners.count), "node")
    if blocks.count == 1, let block = blocks.first, block.cidr.contains(cell.cidr) {
      return "part of block \(block.cidr), \(standing(block))"
    }
    return "\(NumberText.count(UInt128(blocks.count), "block"))" + (owners.isEmpty ? "" : " of \(holders)")
  }

  /// Whose a block is.
  static func standing(_ block: MappedBlock) -> String {
    switch block.state {
    case .stored: block.owner ?? "held by nobody"
    case .claimed: "claimed by \(block.owner ?? "nobody"), not made yet"
    case .absent: "no block"
    case .unreadable: "cannot be read"
    }
  }

  /// `25 of 64 used, 2 of them borrowed, 1 cooling down`
  static func contents(_ counts: UseCounts) -> String {
    let total = NumberText.count(counts.total)
    let others = [AddressUse.cooling, .reserved].filter { counts[$0] > 0 }.map { use in
      "\(NumberText.count(counts[use])) \(use.name)"
    }
    if counts[.unreadable] > 0 { return "\(total) addresses of which nothing is known" }
    guard counts.inUse > 0 else {
      let available = counts[.free].addingSaturated(counts[.affine])
      let text = available == counts.total ? "\(total) free" : "none of \(total) in use"
      return ([counts[.affine] > 0 ? "empty, " + text : text] + others).joined(separator: ", ")
    }
    var parts = ["\(NumberText.count(counts.inUse)) of \(total) in use"]
    if counts[.borrowed] > 0 { parts.append("\(NumberText.count(counts[.borrowed])) of them borrowed") }
    return (parts + others).joined(separator: ", ")
  }

  /// An address of a block in a sentence: `10.65.3.17, borrowed: default/web-0 on node-2`.
  static func label(_ block: MappedBlock, _ ordinal: Int) -> String {
    let text = "\(block.address(at: ordinal)), \(block.uses[ordinal].name)"
    guard let holder = block.holder(at: ordinal) else { return text }
    let name = holder.name ?? "nobody is recorded"
    return text + ": " + name + (holder.node.map { " on \($0)" } ?? "")
  }

  /// A run of addresses that are in no block.
  static func label(_ range: AddressRange, _ counts: UseCounts) -> String {
    var text = "\(range.first) – \(range.last), no block: \(NumberText.count(counts[.free])) free"
    if counts[.reserved] > 0 { text += ", \(NumberText.count(counts[.reserved])) reserved" }
    return text
  }
}
