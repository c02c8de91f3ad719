import CalicoModel
import Datastore
import IPAddressing
import Routing

/// One listing of a datastore, and what is learned from then on by watching it.
///
/// First the watch tells what affinities, pools and nodes there are; then blocks are listed; then the watch goes on from
/// where it stood. So nothing falls between the two: what changes during the listing is told afterwards, and read again.
actor DatastoreSession {
  /// Why a session, or one stretch of it, is over.
  enum End {
    /// A fresh listing is asked for, or needed.
    case refresh
    /// Nobody listens any more, or the task is cancelled.
    case stopped
    /// Other blocks are to be watched.
    case otherInterest
    /// Blocks are to be listed.
    case listing
  }

  private let store: any Datastore
  private let options: RouteSourceOptions
  private let refreshes: RefreshSignal
  private let tell: @Sendable (RouteSourceEvent) -> Bool
  private var state: BlockTopology
  private var cursor: WatchCursor?
  private var toldFaults: [String: String]
  private var nextListing: Deadline?
  /// Whether everything that is known has been told.
  private(set) var hasBegun = false

  init(
    _ store: any Datastore, _ state: BlockTopology, _ options: RouteSourceOptions, _ refreshes: RefreshSignal,
    toldFaults: [String: String], _ tell: @escaping @Sendable (RouteSourceEvent) -> Bool
  ) {
    self.store = store
    self.state = state
    self.options = options
    self.refreshes = refreshes
    self.toldFaults = toldFaults
    self.tell = tell
  }

  /// The faults that were told of and have not ended.
  var faults: [String: String] { toldFaults }

  /// Tells what there is, and what changes, until it is over.
  func run() async throws -> End {
    refreshes.clear()
    try await readKinds()
    if state.mode == .blocks { try await readBlocks() }
    _ = state.takeChanges()
    guard tellFaults(), tell(.snapshot(state.topology)) else { return .stopped }
    hasBegun = true
    scheduleListing()
    while true {
      switch try await stretch() {
      case .otherInterest: continue
      case .listing:
        try await readLenders()
        scheduleListing()
        guard tellChanges() else { return .stopped }
      case .refresh: return .refresh
      case .stopped: return .stopped
      }
    }
  }

  // MARK: Telling

  private func tellFaults() -> Bool {
    let events = state.faults.events(since: toldFaults)
    toldFaults = state.faults.reasons
    return events.allSatisfy { tell($0) }
  }

  private func tellChanges() -> Bool {
    let changes = state.takeChanges()
    return tellFaults() && (changes.isEmpty || tell(.changes(changes)))
  }

  // MARK: Listing

  /// Reads what is watched as a whole, to the first position from which the watch can go on.
  private func readKinds() async throws {
    var missing = state.kinds
    for try await event in store.watch(state.kinds, from: nil) {
      switch event {
      case .snapshot(let kind, let items, _):
        missing.remove(kind)
        for item in items { state.take(item.key, item.stored) }
      case .change(let key, let stored): state.take(key, stored)
      case .bookmark(let cursor):
        guard missing.isEmpty else { continue }
        self.cursor = cursor
        return
      }
    }
    throw Self.ended
  }

  private static var ended: any Error {
    Task.isCancelled ? CancellationError() : DatastoreError(.unavailable, "the datastore ended the watch")
  }

  /// Reads all blocks; under strict affinity only those whose affinities do not say everything.
  private func readBlocks() async throws {
    var present: Set<CIDR> = []
    var unclear: [CIDR] = []
    let contents: Listing.Contents = state.isStrict ? .keys : .values
    var listing = Listing(.blocks(nil), contents, limit: state.isStrict ? 4096 : options.pageSize)
    while true {
      guard case .list(let page)? = try await read([.list(listing)]).first else { throw Self.ended }
      for item in page.items {
        guard case .block(let cidr) = item.key else { continue }
        present.insert(cidr)
        if let stored = item.stored {
          state.take(item.key, stored)
        } else if state.needsReading(cidr) {
          unclear.append(cidr)
        } else {
          state.assumeOwned(cidr)
        }
      }
      guard page.hasMore, let last = page.items.last else { break }
      listing.after = last.key
    }
    state.keepOnly(present)
    try await readBlocks(unclear)
  }

  private func readBlocks(_ blocks: [CIDR]) async throws {
    for start in stride(from: 0, to: blocks.count, by: max(1, options.pageSize)) {
      let page = blocks[start..<min(start + options.pageSize, blocks.count)]
      let results = try await read(page.map { .entry(.block($0)) })
      for (cidr, result) in zip(page, results) {
        guard case .entry(let stored) = result else { continue }
        state.take(.block(cidr), stored)
      }
    }
  }

  /// Looks for borrowed addresses: everywhere, or under strict affinity, where no address is borrowed any more, in the
  /// blocks that are known to have some.
  private func readLenders() async throws {
    if state.isStrict { try await readBlocks(state.lenders) } else { try await readBlocks() }
  }

  private func read(_ reads: [Read]) async throws -> [ReadResult] {
    if Task.isCancelled { throw CancellationError() }
    return try await store.read(reads, deadline: .after(milliseconds: options.readMilliseconds))
  }

  private func scheduleListing() {
    guard state.mode == .blocks, let interval = options.listingInterval else { return }
    let seconds = interval * options.random(0.8...1.2)
    nextListing = .after(milliseconds: UInt64(max(0, seconds / .milliseconds(1))))
  }

  // MARK: Watching

  /// Follows the watch until something else has to be done.
  ///
  /// What ends it may cut a batch of events off in the middle. The position is only advanced behind a whole batch, so its
  /// events come again, and say nothing new to whoever has taken them in.
  private func stretch() async throws -> End {
    let refreshes = refreshes
    let sleep = options.sleep
    let wait = nextListing.map { Duration.milliseconds($0.millisecondsLeft) }
    do {
      return try await withThrowingTaskGroup(of: End.self) { group in
        group.addTask { try await self.follow() }
        group.addTask {
          await refreshes.wait()
          return Task.isCancelled ? .stopped : .refresh
        }
        if let wait {
          group.addTask {
            try await sleep(wait)
            return .listing
          }
        }
        defer { group.cancelAll() }
        return try await group.next() ?? .stopped
      }
    } catch {
      if Task.isCancelled { return .stopped }
      throw error
    }
  }

  private func follow() async throws -> End {
    let streamed = state.watched
    let interest = WatchInterest(state.kinds, keys: Set(streamed.map { .block($0) }))
    var affected: Set<CIDR> = []
    let wasStrict = state.isStrict
    for try await event in store.watch(interest, from: cursor) {
      switch event {
      // There is a gap. What happened to affinities in it would have to be known to know which blocks to read.
      case .snapshot: return .refresh
      case .change(let key, let stored):
        if let cidr = state.take(key, stored) { affected.insert(cidr) }
      case .bookmark(let cursor):
        // Those that the watch tells of need not be read, unless it is to stop telling.
        try await readBlocks(affected.filter { !streamed.contains($0) || !state.watched.contains($0) }.sorted())
        affected = []
        self.cursor = cursor
        guard tellChanges() else { return .stopped }
        if wasStrict, !state.isStrict { return .refresh }
        if state.watched != streamed { return .otherInterest }
      }
    }
    throw Self.ended
  }
}

extension Set<CIDR> {
  fileprivate func sorted() -> [CIDR] {
    sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
  }
}
