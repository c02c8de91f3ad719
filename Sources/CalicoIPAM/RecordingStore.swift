import CNI
import CalicoBackend
import CalicoModel
import Datastore
import HostLocal
import IPAddressing
import SQLiteDatastore

/// The embedded datastore, which sees to two things when an assignment is committed: that host-local has no reservation
/// in the same pool, and that there is a record of what can prove later that the attachment ended.
struct RecordingStore: Datastore {
  private let store: SQLiteDatastore
  private let recorder: AttachmentRecorder
  private let configuration: CalicoConfiguration
  private let invocation: CNIInvocation

  init(
    _ configuration: CalicoConfiguration, _ access: CalicoBackend<RecordingStore>.StoreAccess,
    _ invocation: CNIInvocation
  ) {
    self.configuration = configuration
    self.invocation = invocation
    store = SQLiteDatastore(
      path: configuration.databaseFile,
      options: SQLiteDatastore.Options(access: access == .reading ? .readOnly : .readWrite))
    recorder = AttachmentRecorder(configuration, invocation)
  }

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    guard invocation.verb == .add else {
      return try await recorder.commit(plan, to: store, deadline: deadline)
    }
    let blocks = plan.changes.compactMap { change -> CIDR? in
      guard case .block(let cidr) = change.key, case .value = change.final else { return nil }
      return cidr
    }
    let reservations = try await keepApart(blocks, deadline)
    let outcome = try await recorder.commit(plan, to: store, deadline: deadline)
    reservations?.finish()
    return outcome
  }

  func watch(_ kinds: Set<EntryKind>, from cursor: WatchCursor?) -> WatchStream {
    store.watch(kinds, from: cursor)
  }

  /// Marks the pools of some blocks as in use by this strategy, and then looks whether host-local has reservations in
  /// them.
  ///
  /// The order counts. Whoever reserves an address for host-local makes its directory first and then looks for the
  /// marker, so of two that begin at the same time at least one sees the other.
  ///
  /// - Returns: the lock of the reservations, if there are any, to be held until the commit is made.
  /// - Throws: ``CalicoFailure`` when addresses have to be adopted first.
  private func keepApart(_ blocks: [CIDR], _ deadline: Deadline) async throws -> LockedReservations? {
    let marker = StrategyMarker(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory)
    let marked = try marker.networks()
    let unmarked = blocks.filter { block in !marked.contains { $0.contains(block) } }
    if !unmarked.isEmpty {
      let pools = try await pools(deadline)
      for block in unmarked {
        try marker.add(pools.first { $0.contains(block) } ?? block)
      }
    }
    let opened = try LockedReservations.open(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory, creating: false,
      log: invocation.streams.log)
    guard let opened else { return nil }
    let reservations = try opened.all()
    if !reservations.isEmpty { try await refuse(reservations.map(\.address), blocks, deadline) }
    return opened
  }

  private func refuse(_ addresses: [IPAddress], _ blocks: [CIDR], _ deadline: Deadline) async throws {
    for pool in try await pools(deadline) where blocks.contains(where: { pool.contains($0) }) {
      guard let address = addresses.first(where: { pool.contains($0) }) else { continue }
      let count = addresses.count { pool.contains($0) }
      throw CalicoFailure(
        "IP pool \(pool) overlaps \(count) live host-local reservation(s) of network \(configuration.networkName), "
          + "such as \(address)",
        details: "adopt them first: calico-ipam -upgrade --network \(configuration.networkName), "
          + "or set ipam.adoptHostLocal to true")
    }
  }

  private func pools(_ deadline: Deadline) async throws -> [CIDR] {
    let results = try await store.read([.list(Listing(.resources(.ipPool)))], deadline: deadline)
    guard case .list(let list)? = results.first else { return [] }
    return list.items.compactMap { item in
      guard case .resource(_, let name) = item.key, let stored = item.stored else { return nil }
      // A pool that cannot be read gives no addresses either.
      return (try? IPPool(decoding: stored.bytes, name: name))?.cidr
    }
  }
}
