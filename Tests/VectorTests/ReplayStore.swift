import CalicoModel
import Datastore
import DatastoreSettings
import EtcdDatastore
import SQLiteDatastore
import TestSupport
import Testing

/// Which store a scenario is replayed on.
enum StoreKind: String, CaseIterable, Sendable {
  case memory
  /// Plans are committed stage by stage, as in Kubernetes.
  case staged
  case sqlite
  /// A real server, which all cases share one after the other.
  case etcd

  /// Those that any number of cases can use at the same time.
  static let embedded: [StoreKind] = [.memory, .staged, .sqlite]

  /// An empty store, or the one that is in the folder.
  func makeStore(in folder: String) throws -> any Datastore {
    switch self {
    case .memory: return InMemoryDatastore()
    case .staged: return InMemoryDatastore(commitsAtomically: false)
    case .sqlite: return SQLiteDatastore(path: folder + "/ipam.db")
    case .etcd: return try SharedEtcd.emptyStore()
    }
  }
}

/// The server of all cases.
private enum SharedEtcd {
  private static let server = Result { try EtcdServer() }

  static func emptyStore() throws -> EtcdDatastore {
    let server = try server.get()
    try server.clear()
    var settings = EtcdSettings()
    settings.endpoints = ["http://127.0.0.1:\(server.port)"]
    return try EtcdDatastore(settings)
  }
}

/// A store of which nothing is heard until the time is over, as of an etcd server that cannot be reached.
struct UnreachableStore: Datastore {
  private static let silence = DatastoreError(.unavailable, "context deadline exceeded")

  var commitsAtomically: Bool { true }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] { throw Self.silence }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome { throw Self.silence }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    InMemoryDatastore().watch(interest, from: cursor)
  }
}

/// A store whose type is known only when the test runs.
struct ReplayStore: Datastore {
  let base: any Datastore

  var commitsAtomically: Bool { base.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await base.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    base.watch(interest, from: cursor)
  }
}

extension ReplayStore {
  /// All entries.
  func state() async throws -> RecordedState {
    var scopes: [Listing.Scope] = [.blocks(nil), .allAffinities(.host), .allAffinities(.virtual), .handles]
    scopes += ResourceKind.allCases.map { .resources($0) }
    let reads = scopes.map { Read.list(Listing($0)) } + [.entry(.configuration)]
    var state: RecordedState = [:]
    for result in try await read(reads, deadline: .distantFuture) {
      switch result {
      case .list(let list):
        for item in list.items {
          state[KeyPath.path(of: item.key)] = String(decoding: try #require(item.stored).bytes, as: UTF8.self)
        }
      case .entry(let stored):
        if let stored { state[KeyPath.path(of: .configuration)] = String(decoding: stored.bytes, as: UTF8.self) }
      }
    }
    // The store in memory tells of entries that no key names, too.
    if let memory = base as? InMemoryDatastore {
      #expect(memory.dump().mapValues { String(decoding: $0, as: UTF8.self) } == state)
    }
    return state
  }

  /// Makes the entries the given ones, by commits of what differs.
  func load(_ wanted: RecordedState) async throws {
    let present = try await state()
    var changes: [Change] = []
    for path in Set(wanted.keys).union(present.keys).sorted() where wanted[path] != present[path] {
      let key = try #require(KeyPath.key(of: path), "\(path) names nothing")
      let final = try wanted[path].map { Change.Final.value(try Self.value(key, Array($0.utf8))) } ?? .delete
      changes.append(Change(key, base: .any, final: final))
    }
    guard !changes.isEmpty else { return }
    let outcome = try await commit(Plan(changes), deadline: .distantFuture)
    guard case .applied = outcome else {
      Issue.record("the recorded state could not be loaded: \(outcome)")
      return
    }
    #expect(try await state() == wanted, "a recorded entry is not written back as it was read")
  }

  private static func value(_ key: Key, _ text: [UInt8]) throws -> Value {
    switch key {
    case .block(let cidr): .block(try IPAMBlock(decoding: text, expected: cidr))
    case .affinity: .affinity(try BlockAffinity(decoding: text))
    case .handle: .handle(try IPAMHandle(decoding: text))
    case .configuration: .configuration(try IPAMConfiguration(decoding: text))
    case .host, .resource: .resource(text)
    }
  }
}
