import CNI
import CalicoBackend
import CalicoModel
import Datastore
import HostLocal
import IPAddressing
import Synchronization

/// A datastore that sees to it, when an assignment is committed, that host-local has no reservation in the same pool.
struct SeparatedStore<Base: PluginDatastore>: Datastore {
  private let store: Base
  private var configuration: CalicoConfiguration
  private let invocation: CNIInvocation
  private let seen = SeenPools()

  init(_ store: Base, _ configuration: CalicoConfiguration, _ invocation: CNIInvocation) {
    self.store = store
    self.configuration = configuration
    if invocation.verb == .add {
      // The command that a refusal names has to be about the same node, whatever the environment of a person's shell.
      self.configuration.nodeName = NodeName.find(configuration, log: { _ in })
    }
    self.invocation = invocation
  }

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    let results = try await store.read(reads, deadline: deadline)
    for case (.list(let listing), .list(let list)) in zip(reads, results) where listing.scope == .resources(.ipPool) {
      seen.note(list)
    }
    return results
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    guard invocation.verb == .add else {
      return try await store.commit(plan, on: .call(invocation), deadline: deadline)
    }
    let blocks = plan.changes.compactMap { change -> CIDR? in
      guard case .block(let cidr) = change.key, case .value = change.final else { return nil }
      return cidr
    }
    // A commit that only takes blocks back gives nothing out that could be somebody's.
    guard !blocks.isEmpty else { return try await store.commit(plan, on: .call(invocation), deadline: deadline) }
    let separation = try await neighbour.keepApart(blocks) { try await pools(deadline) }
    let outcome = try await store.commit(plan, on: .call(invocation), deadline: deadline)
    separation.finish()
    return outcome
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }

  private var neighbour: HostLocalNeighbour {
    var upgrade = CommandLineCall.Upgrade(
      network: configuration.networkName, node: configuration.nodeName, dataDirectory: configuration.hostLocalDirectory)
    upgrade.engine = configuration.datastoreType
    if configuration.datastoreType == .sqlite { upgrade.database = configuration.databaseFile }
    return HostLocalNeighbour(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory,
      adoptCommand: upgrade.commandLine, log: invocation.streams.log)
  }

  private func pools(_ deadline: Deadline) async throws -> [CIDR] {
    var list = seen.list
    if list == nil {
      let results = try await store.read([.list(Listing(.resources(.ipPool)))], deadline: deadline)
      if case .list(let found)? = results.first { list = found }
    }
    return (list?.items ?? []).compactMap { item in
      guard case .resource(_, let name) = item.key, let stored = item.stored else { return nil }
      // A pool that cannot be read gives no addresses either.
      return (try? IPPool(decoding: stored.bytes, name: name))?.cidr
    }
  }
}

/// The pools as the call saw them, so that they are not read a second time.
private final class SeenPools: Sendable {
  private let found = Mutex<ListResult?>(nil)

  var list: ListResult? { found.withLock { $0 } }

  func note(_ list: ListResult) { found.withLock { $0 = list } }
}
