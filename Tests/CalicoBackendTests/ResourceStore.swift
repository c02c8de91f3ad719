import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

/// A store in memory with a client, and a record of what was written and done.
final class ResourceStore: Sendable {
  let memory: InMemoryDatastore
  let client: ResourceClient
  private let recorder: RecordingDatastore
  private let log: EventLog

  init(
    commitsAtomically: Bool = true, configurationPlaces: ResourceClient.ConfigurationPlaces = .keyAndResource,
    releasing: (@Sendable (String) async throws -> Void)? = nil
  ) {
    let log = EventLog()
    memory = InMemoryDatastore(commitsAtomically: commitsAtomically)
    let recorder = RecordingDatastore(memory, log)
    self.log = log
    self.recorder = recorder
    let event: @Sendable (String) async throws -> Void = { text in
      log.append(text)
      try await releasing?(text)
    }
    client = ResourceClient(
      datastore: recorder,
      surroundings: ResourceSurroundings(
        now: { Timestamp(seconds: 1_787_405_580) }, makeUUID: { log.nextUUID() },
        pause: { try await event("pause \($0)") },
        releasePoolAffinities: { try await event("release affinities of pool \($0)") },
        releaseAddresses: { try await event("release addresses \($0.map(\.description).joined(separator: " "))") },
        releaseHostAffinities: { try await event("release affinities of host \($0)") }),
      configurationPlaces: configurationPlaces)
  }

  /// Lets the store refuse to write, or only to create.
  func setRefusal(_ error: DatastoreError, onlyCreations: Bool) {
    log.setRefusal { change in
      if !onlyCreations || change.base == .absent { throw error }
    }
  }

  /// What was written and done since the last call: `<create, update or delete> <path>`, pauses and releases.
  func takeEvents() -> [String] { log.take() }

  /// The texts that were written since the last call, by path; nil for deletions.
  func takeWrites() -> [EventLog.Write] { log.takeWrites() }

  /// How many batches were read so far.
  var reads: Int { log.reads }

  /// The text of an entry.
  func text(_ path: String) -> String? {
    memory.dump()[path].map { String(decoding: $0, as: UTF8.self) }
  }

  func text(_ kind: ResourceKind, _ name: String) -> String? { text(KeyPath.path(of: .resource(kind, name))) }

  func put(_ text: String, _ kind: ResourceKind, _ name: String) {
    memory.put(Array(text.utf8), at: KeyPath.path(of: .resource(kind, name)))
  }

  /// Brings the store to where writes of people begin, and forgets that.
  func initialized() async throws -> ResourceStore {
    try await client.initialize()
    _ = takeEvents()
    _ = takeWrites()
    return self
  }
}

/// What happened, in order.
final class EventLog: Sendable {
  struct Write: Equatable {
    var path: String
    var text: String?
  }

  private struct State {
    var events: [String] = []
    var writes: [Write] = []
    var identifiers = 0
    var reads = 0
    var refusal: (@Sendable (Change) throws -> Void)?
  }

  private let state = Mutex(State())

  func append(_ event: String) { state.withLock { $0.events.append(event) } }

  func append(_ change: Change) {
    let path = KeyPath.path(of: change.key)
    state.withLock { state in
      switch change.final {
      case .delete:
        state.events.append("delete \(path)")
        state.writes.append(Write(path: path, text: nil))
      case .value(let value):
        state.events.append((change.base == .absent ? "create " : "update ") + path)
        state.writes.append(Write(path: path, text: String(decoding: value.encoded(), as: UTF8.self)))
      }
    }
  }

  func take() -> [String] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }

  func takeWrites() -> [Write] {
    state.withLock { state in
      defer { state.writes = [] }
      return state.writes
    }
  }

  func setRefusal(_ refusal: @escaping @Sendable (Change) throws -> Void) { state.withLock { $0.refusal = refusal } }

  func check(_ plan: Plan) throws {
    let refusal = state.withLock { $0.refusal }
    for change in plan.changes { try refusal?(change) }
  }

  func countRead() { state.withLock { $0.reads += 1 } }

  var reads: Int { state.withLock { $0.reads } }

  /// `00000000-0000-4000-8000-000000000001` and so on.
  func nextUUID() -> String {
    let number = state.withLock { state in
      state.identifiers += 1
      return state.identifiers
    }
    let digits = String(number)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }
}

/// Hands everything on, and records the changes that were made.
private struct RecordingDatastore: Datastore {
  let memory: InMemoryDatastore
  let log: EventLog

  init(_ memory: InMemoryDatastore, _ log: EventLog) {
    self.memory = memory
    self.log = log
  }

  var commitsAtomically: Bool { memory.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    log.countRead()
    return try await memory.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    #expect(plan.durability == .disk, "what people write must survive the power")
    try log.check(plan)
    let outcome = try await memory.commit(plan, deadline: deadline)
    if case .applied = outcome { plan.changes.forEach { log.append($0) } }
    return outcome
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    memory.watch(interest, from: cursor)
  }
}

/// The description of the error that something ends with.
func failure(_ body: () async throws -> Void) async -> String? {
  do {
    try await body()
    return nil
  } catch {
    return "\(error)"
  }
}

/// A resource as people write it.
func resource(
  _ kind: String, _ name: String, _ specification: JSON, metadata: JSONObject = JSONObject()
) throws -> Resource {
  var metadata = metadata
  metadata["name"] = .string(name)
  return try Resource(
    manifest: [
      "apiVersion": "projectcalico.org/v3", "kind": .string(kind), "metadata": .object(metadata), "spec": specification,
    ])
}

let resourcePaths = "/calico/resources/v3/projectcalico.org"
