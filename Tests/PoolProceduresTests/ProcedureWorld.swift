import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@testable import PoolProcedures

/// A cluster in memory: pools, two nodes, and pods that are restarted while a procedure waits for them.
final class ProcedureWorld: Sendable {
  let memory: InMemoryDatastore
  let store: CrashingDatastore
  private let state = Mutex(State())

  private struct State {
    /// Nanoseconds since 1970.
    var time: Int64 = 1_786_698_753_000_000_000
    var identifiers = 0
    /// Pods and their addresses.
    var pods: [String: IPAddress] = [:]
    var isRestarting = true
    var events: [ProcedureEvent] = []
    var onPause: (@Sendable (ProcedureWorld) async throws -> Void)?
  }

  init(commitsAtomically: Bool = true) {
    memory = InMemoryDatastore(commitsAtomically: commitsAtomically)
    store = CrashingDatastore(memory)
    for node in ["node-a", "node-b"] {
      put(
        .resource(.node, node),
        #"{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"\#(node)","labels":{"rack":"\#(node.suffix(1))"}},"spec":{}}"#
      )
    }
  }

  /// A world with pool `old` and a pod on each node.
  static func inhabited(commitsAtomically: Bool = true) async throws -> ProcedureWorld {
    let world = ProcedureWorld(commitsAtomically: commitsAtomically)
    world.pool("old", "10.65.0.0/24", #""blockSize":26,"natOutgoing":true,"nodeSelector":"all()""#)
    try await world.addPod("web-1", "node-a")
    try await world.addPod("web-2", "node-b")
    return world
  }

  // MARK: The store

  func put(_ key: Key, _ text: String) { memory.put(Array(text.utf8), at: KeyPath.path(of: key)) }

  func pool(_ name: String, _ cidr: String, _ more: String = "", metadata: String = "") {
    let more = more.isEmpty ? "" : "," + more
    let about = #"{"name":"\#(name)","uid":"uid-of-\#(name)","creationTimestamp":"2026-01-01T00:00:00Z"\#(metadata)}"#
    put(
      .resource(.ipPool, name),
      #"{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":\#(about),"spec":{"cidr":"\#(cidr)"\#(more)}}"#)
  }

  /// All pools' documents, as they are written, by name.
  func pools() throws -> [String: String] {
    var pools: [String: String] = [:]
    for (path, bytes) in memory.dump() where path.contains("/ippools/") {
      let name = String(path.split(separator: "/").last ?? "")
      pools[name] = String(decoding: try Resource(stored: bytes, kind: .ipPool, name: name).encoded(), as: UTF8.self)
    }
    return pools
  }

  func ippool(_ name: String) -> IPPool? {
    let bytes = memory.dump()[KeyPath.path(of: .resource(.ipPool, name))]
    return bytes.flatMap { try? IPPool(decoding: $0, name: name) }
  }

  /// Everything that is neither a pool nor anything else that people write.
  func allocations() -> [String: [UInt8]] { memory.dump().filter { $0.key.hasPrefix("/calico/ipam/") } }

  // MARK: Pods

  var pods: [String: IPAddress] { state.withLock { $0.pods } }

  var now: Timestamp { Timestamp(nanoseconds: state.withLock { $0.time }) }

  @discardableResult
  func addPod(_ name: String, _ node: String, pools: [CIDR] = []) async throws -> IPAddress {
    let request = AutoAssignRequest(
      [.init(.v4, count: 1, pools: pools)], handleID: "pods.\(name)",
      attributes: ["namespace": "default", "node": node, "pod": name], host: node, use: .workload, time: now)
    let result = try await OperationRunner(memory).run(try AutoAssign(request), deadline: .distantFuture)
    let address = try #require(
      result.families.first?.addresses.first?.address.address, "pod \(name) has no address: \(result)")
    #expect(!pods.values.contains(address), "\(address) is given out twice")
    state.withLock { $0.pods[name] = address }
    return address
  }

  func removePod(_ name: String) async throws {
    _ = try await OperationRunner(memory).run(
      ReleaseByHandle(["pods.\(name)"], time: now), deadline: .distantFuture)
    state.withLock { $0.pods[name] = nil }
  }

  /// Restarts one pod whose address is of no enabled pool.
  private func restartOne() async throws {
    let enabled = try memory.dump().filter { $0.key.contains("/ippools/") }
      .map { try IPPool(decoding: $0.value, name: "") }.filter(\.isEnabled).compactMap(\.cidr)
    guard
      let (name, _) = pods.sorted(by: { $0.key < $1.key }).first(where: { pod in
        !enabled.contains { $0.contains(pod.value) }
      })
    else { return }
    try await removePod(name)
    try await addPod(name, name.hasSuffix("1") ? "node-a" : "node-b")
  }

  func stopRestarting() { state.withLock { $0.isRestarting = false } }
  func startRestarting() { state.withLock { $0.isRestarting = true } }

  /// What happens at every pause from now on.
  func onPause(_ body: (@Sendable (ProcedureWorld) async throws -> Void)?) { state.withLock { $0.onPause = body } }

  // MARK: Procedures

  var surroundings: ProcedureSurroundings {
    ProcedureSurroundings(
      now: { self.now },
      makeUUID: {
        let number = self.state.withLock { state in
          state.identifiers += 1
          return state.identifiers
        }
        return "uuid-\(number)"
      },
      pause: { duration in
        self.state.withLock { $0.time += Int64(duration.components.seconds) * 1_000_000_000 + 500_000_000 }
        if self.state.withLock({ $0.isRestarting }) { try await self.restartOne() }
        try await self.state.withLock { $0.onPause }?(self)
      },
      milliseconds: { self.state.withLock { UInt64($0.time / 1_000_000) } })
  }

  var runner: ProcedureRunner<CrashingDatastore> {
    ProcedureRunner(store, surroundings) { event in self.state.withLock { $0.events.append(event) } }
  }

  /// The steps that were done since the last call, in words: `create standIn`.
  func takeSteps() -> [String] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events.compactMap { event in
        if case .done(let step) = event { "\(step.action) \(step.role)" } else { nil }
      }
    }
  }

  var events: [ProcedureEvent] { state.withLock { $0.events } }

  /// Begins, with as much patience as is needed.
  func begin(_ request: ProcedureRequest, patience: UInt64? = nil) async throws {
    try await runner.begin(try await runner.propose(request), patience: patience)
  }

  func resume(_ direction: PoolProcedure.Direction?, patience: UInt64? = nil) async throws {
    let found = try #require(try await runner.procedures().first)
    try await runner.resume(found, direction, patience: patience)
  }

  /// Every pod has one address, its own, of a pool of this name.
  func expectPods(in pool: String) throws {
    let range = try #require(ippool(pool)?.cidr)
    #expect(Set(pods.values).count == pods.count)
    for (pod, address) in pods { #expect(range.contains(address), "\(pod) has \(address)") }
    var held: [String: IPAddress] = [:]
    for (path, bytes) in memory.dump() where path.contains("/assignment/") {
      let text = String(path.split(separator: "/").last ?? "").replacing("-", with: "/")
      let block = try IPAMBlock(decoding: bytes, expected: try #require(CIDR(text)))
      #expect(range.contains(block.cidr.address), "\(block.cidr) is left")
      for ordinal in 0..<block.size where block.isInUse(ordinal) {
        held[block.attribute(at: ordinal)?.owner["pod"] ?? "?"] = block.address(at: ordinal)
      }
    }
    #expect(held == pods)
  }
}

/// A store from which the process that uses it is cut off at one of its writes.
final class CrashingDatastore: Datastore {
  struct Crash: Error {}

  /// When the process dies.
  enum Moment: Hashable, Sendable, CaseIterable {
    case beforeWrite
    case afterWrite
  }

  private let memory: InMemoryDatastore
  private let state = Mutex((writes: 0, crashAt: Int?.none, moment: Moment.beforeWrite))

  init(_ memory: InMemoryDatastore) { self.memory = memory }

  var commitsAtomically: Bool { memory.commitsAtomically }

  /// How many plans were committed.
  var writes: Int { state.withLock { $0.writes } }

  /// Dies at a write, counted from now; nil for a process that lives.
  func crash(at write: Int?, _ moment: Moment = .beforeWrite) { state.withLock { $0 = (0, write, moment) } }

  /// What others do right before and after a plan is committed.
  struct Hooks: Sendable {
    var before: (@Sendable (Plan) async throws -> Void)?
    var after: (@Sendable (Plan) async throws -> Void)?
  }

  private let hooks = Mutex(Hooks())

  func interrupt(_ hooks: Hooks) { self.hooks.withLock { $0 = hooks } }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    let (writes, crashAt, _) = state.withLock { $0 }
    if let crashAt, writes >= crashAt { throw Crash() }
    return try await memory.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    let (number, crashAt, moment) = state.withLock { state in
      state.writes += 1
      return state
    }
    let hooks = hooks.withLock { $0 }
    try await hooks.before?(plan)
    guard let crashAt, number >= crashAt else {
      let outcome = try await memory.commit(plan, deadline: deadline)
      try await hooks.after?(plan)
      return outcome
    }
    if number == crashAt, moment == .afterWrite { _ = try await memory.commit(plan, deadline: deadline) }
    throw Crash()
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    memory.watch(interest, from: cursor)
  }
}

extension ProcedureRequest {
  /// From `old` to `new`, which is created.
  static var toNew: ProcedureRequest {
    .migration(from: "old", to: "new", cidr: CIDR("10.66.0.0/24"), blockSize: nil)
  }

  /// Blocks of /28 for `old`.
  static func smallerBlocks() throws -> ProcedureRequest {
    .resizing("old", blockSize: 28, temporaryName: nil, temporaryCIDR: try #require(CIDR("10.99.0.0/24")))
  }
}

/// What a procedure was refused or ended with.
func ending(_ body: () async throws -> Void) async -> ProcedureError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? ProcedureError ?? ProcedureError(.conflict, "another error: \(error)")
  }
}
