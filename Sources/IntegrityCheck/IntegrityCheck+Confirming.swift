import CalicoModel
import Datastore
import IPAddressing

// What did not fit is looked at again, until it is the same twice or fits.

extension IntegrityCheck {
  /// Entries of one kind that did not fit, each with the mark of its revision.
  private struct Pending<Suspect> {
    var suspects: [Suspect]
    var marks: [String: UInt64?]

    init(_ suspects: [Suspect], _ mark: (Suspect) -> (String, UInt64?)) {
      self.suspects = suspects
      marks = Dictionary(suspects.map(mark)) { $1 }
    }

    /// Keeps what is different, and returns what is the same as at the look before.
    mutating func settle(_ faults: [Fault], _ name: (Suspect) -> String) -> [Fault] {
      var confirmed: [Fault] = []
      var open: Set<String> = []
      for fault in faults {
        let mark = fault.revision?.mark
        if let known = marks[fault.path], known == mark {
          confirmed.append(fault)
        } else {
          open.insert(fault.path)
          marks[fault.path] = .some(mark)
        }
      }
      suspects.removeAll { !open.contains(name($0)) }
      return confirmed
    }
  }

  /// What does not fit together, without who uses addresses; nothing is printed.
  ///
  /// - Throws: `DatastoreError` when the store cannot be read.
  public mutating func faults() async throws -> [Fault] { try await confirm().faults }

  /// Looks again at what did not fit.
  ///
  /// - Returns: what is wrong, and how many entries were different each time.
  mutating func confirm() async throws -> (faults: [Fault], unsettled: Int) {
    let unknown = unreadableBlocks.union(brokenBlocks)
    var handles = Pending(self.handles.suspects(unreadable: unknown)) { suspect in
      (KeyPath.path(of: .handle(suspect.name)), suspect.mark)
    }
    var affinities = Pending(self.affinities.suspects(allocations, unreadable: unreadableBlocks)) { suspect in
      (KeyPath.path(of: .affinity(suspect.owner, suspect.cidr)), suspect.mark)
    }
    var blocks = Pending(blockSuspects) { (KeyPath.path(of: .block($0.cidr)), $0.mark) }
    var faults = oddities
    let look = SecondLook(store: store, millisecondsPerRead: options.millisecondsPerPage, cooldown: cooldown)
    for _ in 0..<max(1, options.looks) {
      guard !(handles.suspects.isEmpty && affinities.suspects.isEmpty && blocks.suspects.isEmpty && remains.isEmpty)
      else { break }
      try await Task.sleep(for: options.pause)
      faults += blocks.settle(try await look.faults(ofBlocks: blocks.suspects[...], at: now())) {
        KeyPath.path(of: .block($0.cidr))
      }
      faults += handles.settle(try await look.faults(ofHandles: handles.suspects[...])) {
        KeyPath.path(of: .handle($0.name))
      }
      faults += affinities.settle(try await look.faults(ofAffinities: affinities.suspects[...])) {
        KeyPath.path(of: .affinity($0.owner, $0.cidr))
      }
      faults += try await remainsStillThere()
    }
    let unsettled = handles.suspects.count + affinities.suspects.count + blocks.suspects.count
    return (faults, unsettled)
  }

  /// The entries whose deletion nobody has finished since. They are listed, because reading one would finish it.
  private mutating func remainsStillThere() async throws -> [Fault] {
    guard !remains.isEmpty else { return [] }
    let known = remains
    remains = [:]
    var faults: [Fault] = []
    for scope in Set(known.keys.compactMap(Listing.Scope.init(of:))) {
      try await store.scan(scope, millisecondsPerPage: options.millisecondsPerPage) { found in
        guard case .halfDeleted(let key, let stored) = found, known[key] == stored.revision.mark else { return }
        faults.append(
          Fault(.remains(key), revision: stored.revision, text: "its deletion was begun and not finished"))
      }
    }
    return faults.sorted { $0.path < $1.path }
  }

  // MARK: Addresses

  /// Reads what is recorded of some addresses now. What is given out no more, or to somebody else, is left out.
  func leaks(_ indices: [Int]) async throws -> [Leak] {
    let look = SecondLook(store: store, millisecondsPerRead: options.millisecondsPerPage, cooldown: cooldown)
    let wanted = Set(indices)
    let blocks = allocations.blocks.filter { $0.range.contains { wanted.contains($0) } }
    var leaks: [Leak] = []
    for start in stride(from: 0, to: blocks.count, by: 64) {
      let batch = blocks[start..<min(blocks.count, start + 64)]
      let found = try await look.entries(batch.map { .block($0.cidr) })
      for block in batch {
        guard let stored = found[.block(block.cidr)],
          let record = try? BlockRecord(stored, block.cidr)
        else { continue }
        for index in block.range where wanted.contains(index) {
          if let leak = leak(index, in: block, record, stored.revision) { leaks.append(leak) }
        }
      }
    }
    return leaks.sorted { $0.address < $1.address }
  }

  private func leak(
    _ index: Int, in block: AllocationTable.Block, _ record: BlockRecord, _ revision: Revision
  ) -> Leak? {
    let ordinal = Int(allocations.ordinals[index])
    guard record.allocations.indices.contains(ordinal), let place = record.allocations[ordinal],
      record.numbers[ordinal] ?? 0 == allocations.numbers[index]
    else { return nil }
    let attribute = record.attribute(place)
    let handle = allocations.handles[index] >= 0 ? handles.names[allocations.handles[index]] : nil
    guard attribute?.releasedAt == nil, attribute?.sanitizedHandleID ?? "" == handle ?? "" else { return nil }
    if let owner = attribute?.owner, let namespace = owner["namespace"], let pod = owner["pod"],
      waitingPods.contains("\(namespace)/\(pod)")
    {
      return nil
    }
    return Leak(
      address: allocations.address(index, in: block), block: block.cidr, revision: revision, handleID: handle,
      sequenceNumber: allocations.numbers[index], attribute: attribute)
  }

  /// The addresses that are used though they are given out to nobody, without those that have been given out since or
  /// that are used no more.
  func unallocated(
    _ suspects: [IPAddress], isStillUsed: (IPAddress, User) async throws -> Bool
  ) async throws -> Set<IPAddress> {
    if suspects.isEmpty { return [] }
    try await Task.sleep(for: options.pause)
    let look = SecondLook(store: store, millisecondsPerRead: options.millisecondsPerPage, cooldown: cooldown)
    var blocks: [IPAddress: CIDR] = [:]
    for address in suspects {
      blocks[address] =
        allocations.block(containing: address)?.cidr
        ?? activePools.lazy.compactMap { $0.block(containing: address) }.first
    }
    let found = try await look.entries(Set(blocks.values).map { .block($0) })
    var unallocated: Set<IPAddress> = []
    for address in suspects {
      if let cidr = blocks[address], let block = try? found[.block(cidr)]?.block(cidr),
        let ordinal = block.ordinal(of: address), block.attribute(at: ordinal) != nil
      {
        continue
      }
      for user in strays[address] ?? [] where try await isStillUsed(address, user) { unallocated.insert(address) }
    }
    return unallocated
  }
}

extension Listing.Scope {
  /// The range that an entry is listed in.
  fileprivate init?(of key: Key) {
    switch key {
    case .block: self = .blocks(nil)
    case .handle: self = .handles
    case .affinity(let owner, _): self = .allAffinities(owner.kind)
    case .configuration, .host, .resource: return nil
    }
  }
}
