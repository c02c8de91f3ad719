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
  private var configuration: CalicoConfiguration
  private let invocation: CNIInvocation

  init(
    _ configuration: CalicoConfiguration, _ access: CalicoBackend<RecordingStore>.StoreAccess,
    _ invocation: CNIInvocation
  ) {
    self.configuration = configuration
    if invocation.verb == .add {
      // The command that a refusal names has to be about the same node, whatever the environment of a person's shell.
      self.configuration.nodeName = NodeName.find(configuration, log: { _ in })
    }
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
    // A commit that only takes blocks back gives nothing out that could be somebody's.
    guard !blocks.isEmpty else { return try await recorder.commit(plan, to: store, deadline: deadline) }
    let separation = try await neighbour.keepApart(blocks) { try await pools(deadline) }
    let outcome = try await recorder.commit(plan, to: store, deadline: deadline)
    separation.finish()
    return outcome
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }

  private var neighbour: HostLocalNeighbour {
    let upgrade = CommandLineCall.Upgrade(
      network: configuration.networkName, node: configuration.nodeName, dataDirectory: configuration.hostLocalDirectory,
      database: configuration.databaseFile)
    return HostLocalNeighbour(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory,
      adoptCommand: upgrade.commandLine, log: invocation.streams.log)
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
