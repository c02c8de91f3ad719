import CalicoModel
import Datastore
import IPAddressing

// When everybody has finished or died, whatever is free must be for somebody to have (Calico IPAM specification,
// section 6.2: nothing that a crash leaves is left for ever).

extension History {
  mutating func end() throws(Violation) {
    let script = director.script
    if script.faults.isEmpty, script.crashes.isEmpty, !script.processes.contains(where: { $0.action.isUpstream }) {
      try oracle.checkExactCounts(in: store)
    }
    trace.add { "everybody has finished; an hour passes" }
    clock = clock.advanced(bySeconds: 3600)
    try configure(isStrict: script.ending.drains)
    if script.ending.drains { try drain() }
    if script.ending.givesUp {
      for node in 0..<world.nodeCount {
        try finish(.releaseAffinities(.own, mustBeEmpty: false), on: node)
      }
    }
    clock = clock.advanced(bySeconds: 3600)
    for node in 0..<world.nodeCount { try fill(on: node) }
    try checkFull()
  }

  /// Makes every pool usable by every node again.
  private mutating func configure(isStrict: Bool) throws(Violation) {
    var configuration = world.configuration
    if case .configuration(let stored)? = store.value(.configuration) { configuration = stored }
    configuration.strictAffinity = isStrict
    configuration.maxBlocksPerHost = 0
    try configure(.configuration, .configuration(configuration))
    for pool in world.pools { try configure(.resource(.ipPool, pool.name), .resource(pool.text())) }
  }

  /// Releases everything.
  private mutating func drain() throws(Violation) {
    for (name, _) in store.handles { try finish(.releaseByHandle([name]), on: 0) }
    var options: [ReleaseOption] = []
    for (cidr, slots) in oracle.slots {
      for (ordinal, slot) in slots.enumerated() {
        guard case .used(let handle, let number) = slot, let address = cidr.address.advanced(by: UInt128(ordinal))
        else { continue }
        if let handle { throw Violation(.survival, "\(address) of \(handle) cannot be released by its handle") }
        options.append(ReleaseOption(address, sequenceNumber: number))
      }
    }
    options.sort { $0.address < $1.address }
    if !options.isEmpty { try finish(.releaseEverything(options), on: 0) }
  }

  /// Assigns all that a node can have, one block's worth after the other.
  private mutating func fill(on node: Int) throws(Violation) {
    for (family, count) in [(AddressFamily.v4, 32), (.v6, 8)] {
      let (v4, v6) = family == .v4 ? (count, 0) : (0, count)
      try finish(.autoAssign(v4: v4, v6: v6, handle: nil, Action.AssignOptions()), on: node)
    }
  }

  /// Runs one operation from beginning to end, and nothing goes wrong.
  private mutating func finish(_ action: Action, on node: Int) throws(Violation) {
    let id = Director.firstOfEnding + running.count
    let process = Process(id: id, node: node, pause: 0, action: action)
    try start(process)
    while let current = running[id] {
      if case .ended = current.state { break }
      step += 1
      current.steps += 1
      guard current.steps < 4000 else { throw Violation(.endless, "\(process)") }
      try advance(current)
    }
  }

  private func checkFull() throws(Violation) {
    for pool in world.pools {
      for index in 0..<pool.size {
        let address = pool.address(index)
        if world.reserved.contains(where: { $0.contains(address) }) { continue }
        let block = IPAMBlock.cidr(containing: address, prefixLength: pool.blockSize) ?? pool.cidr
        let slots = oracle.slots[block] ?? []
        let ordinal = Int(address.number - block.address.number)
        if ordinal < slots.count, case .used = slots[ordinal] { continue }
        throw Violation(
          .stuck,
          "\(address) cannot be assigned: block \(block) belongs to \(oracle.owners[block] ?? "nobody")")
      }
    }
  }
}
