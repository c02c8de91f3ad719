import CalicoModel
import Datastore
import IPAddressing

/// Why a step of upstream's failed, as its datastore and its algorithms name it.
enum UpstreamFailure: Error, Hashable {
  case doesNotExist
  case alreadyExists
  case updateConflict
  case blockClaimConflict
  case staleAffinity
  case blockNotEmpty
  case noFreeBlocks
  case blockLimit
  case other(String)
}

/// Why a run of upstream's code stops: it needs an answer that it has not got yet, or it failed.
enum UpstreamHalt: Error {
  case wants(UpstreamRequest)
  case failed(UpstreamFailure)

  func isFailure(_ failures: UpstreamFailure...) -> Bool {
    guard case .failed(let failure) = self else { return false }
    return failures.contains(failure)
  }

  /// Whether the code is to see this error, rather than to be stopped by it.
  var isFailure: Bool {
    if case .failed = self { return true }
    return false
  }
}

enum UpstreamRequest {
  case read(Read)
  case write(Change)
}

/// What a request gave.
enum UpstreamAnswer {
  case entry(UpstreamEntry?)
  case list([UpstreamEntry])
  case pools([IPPool])
  case written(Revision)
  case failed(UpstreamFailure)
}

struct UpstreamEntry {
  var key: Key
  var value: Value
  var revision: Revision
}

/// One pass through upstream's code, written down from the Calico IPAM specification, sections 3.2 to 3.12, alone.
///
/// The code is straight on, as upstream's is. It runs from the beginning for each step, with the answers that it has
/// got so far, until it needs one more.
struct UpstreamRun {
  /// Upstream repeats what conflicts so often (specification section 0.2).
  static let retries = 100

  let owner: BlockOwner
  let answers: [UpstreamAnswer]
  /// When each answer came; the first is the time of the beginning.
  let times: [Timestamp]
  private var place = 0
  /// How many new blocks this call obtained.
  var owned = 0

  init(owner: BlockOwner, answers: [UpstreamAnswer], times: [Timestamp]) {
    self.owner = owner
    self.answers = answers
    self.times = times
  }

  var now: Timestamp { times[place] }

  private mutating func answer(to request: UpstreamRequest) throws(UpstreamHalt) -> UpstreamAnswer {
    guard place < answers.count else { throw .wants(request) }
    place += 1
    if case .failed(let failure) = answers[place - 1] { throw .failed(failure) }
    return answers[place - 1]
  }

  // MARK: - Reading

  mutating func get(_ key: Key) throws(UpstreamHalt) -> UpstreamEntry {
    guard case .entry(let entry?) = try answer(to: .read(.entry(key))) else { throw .failed(.doesNotExist) }
    return entry
  }

  mutating func list(_ listing: Listing) throws(UpstreamHalt) -> [UpstreamEntry] {
    guard case .list(let entries) = try answer(to: .read(.list(listing))) else { return [] }
    return entries
  }

  /// All pools, in the order of their names.
  mutating func allPools() throws(UpstreamHalt) -> [IPPool] {
    guard case .pools(let pools) = try answer(to: .read(.list(Listing(.resources(.ipPool))))) else { return [] }
    return pools
  }

  mutating func enabledPools(_ family: AddressFamily) throws(UpstreamHalt) -> [IPPool] {
    try allPools().filter { $0.isEnabled && $0.family == family }
  }

  mutating func configuration() throws(UpstreamHalt) -> IPAMConfiguration {
    do throws(UpstreamHalt) {
      if case .configuration(let configuration) = try get(.configuration).value { return configuration }
    } catch {
      guard error.isFailure(.doesNotExist) else { throw error }
    }
    return IPAMConfiguration()
  }

  mutating func reservations() throws(UpstreamHalt) -> ReservedAddresses {
    var reserved = ReservedAddresses()
    for entry in try list(Listing(.resources(.ipReservation))) {
      guard case .resource(let text) = entry.value else { continue }
      // The checker writes valid resources only.
      try? reserved.add(decoding: text)
    }
    return reserved
  }

  /// A node's labels.
  mutating func labels(of node: String) throws(UpstreamHalt) -> [String: String] {
    guard case .resource(let text) = try get(.resource(.node, node)).value else { return [:] }
    return (try? ResourceLabels.decode(text)) ?? [:]
  }

  mutating func block(_ cidr: CIDR) throws(UpstreamHalt) -> (block: IPAMBlock, revision: Revision) {
    let entry = try get(.block(cidr))
    guard case .block(let block) = entry.value else { throw .failed(.doesNotExist) }
    return (block, entry.revision)
  }

  mutating func affinity(_ owner: BlockOwner, _ cidr: CIDR) throws(UpstreamHalt) -> UpstreamAffinity {
    let entry = try get(.affinity(owner, cidr))
    guard case .affinity(let affinity) = entry.value else { throw .failed(.doesNotExist) }
    return UpstreamAffinity(owner: owner, cidr: cidr, affinity: affinity, revision: entry.revision)
  }

  // MARK: - Writing

  mutating func create(_ key: Key, _ value: Value) throws(UpstreamHalt) -> Revision {
    try write(Change(key, base: .absent, final: .value(value)))
  }

  mutating func update(_ key: Key, _ value: Value, _ revision: Revision) throws(UpstreamHalt) -> Revision {
    try write(Change(key, base: .revision(revision), final: .value(value)))
  }

  mutating func delete(_ key: Key, _ revision: Revision) throws(UpstreamHalt) {
    _ = try write(Change(key, base: .revision(revision), final: .delete))
  }

  private mutating func write(_ change: Change) throws(UpstreamHalt) -> Revision {
    guard case .written(let revision) = try answer(to: .write(change)) else { return Revision(0) }
    return revision
  }

  /// Updates a block, whose sequence number goes up first (section 2.6).
  mutating func update(_ block: IPAMBlock, _ revision: Revision) throws(UpstreamHalt) -> Revision {
    var block = block
    block.sequenceNumber += 1
    return try update(.block(block.cidr), .block(block), revision)
  }

  /// Updates an affinity's state.
  mutating func update(_ record: inout UpstreamAffinity, _ state: BlockAffinity.State) throws(UpstreamHalt) {
    var affinity = record.affinity
    affinity.state = state
    record.revision = try update(.affinity(record.owner, record.cidr), .affinity(affinity), record.revision)
    record.affinity = affinity
  }
}

/// An affinity as it was read or written last.
struct UpstreamAffinity {
  let owner: BlockOwner
  let cidr: CIDR
  var affinity: BlockAffinity
  var revision: Revision
}
