import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Testing

/// A cluster whose datastore is in memory and whose clock is told: one call is one operation of the specification.
///
/// After every call the store is checked for the invariants of section 6.1.
final class Cluster {
  let store: InMemoryDatastore
  /// Every operation happens a millisecond after the last.
  private(set) var now = Timestamp(seconds: 1_750_000_000)
  /// What is configured; nothing is stored before it is changed.
  var configuration = IPAMConfiguration() {
    didSet { put(configuration.encoded(), .configuration) }
  }
  private let invariants = Invariants()
  private let runner: OperationRunner<InMemoryDatastore>

  init(_ mode: Mode) {
    store = InMemoryDatastore(commitsAtomically: mode == .atomic)
    runner = OperationRunner(store, monotonic: { 0 })
  }

  func advance(seconds: Int64) {
    now = now.advanced(bySeconds: seconds)
  }

  /// The moment of the next operation.
  func tick() -> Timestamp {
    now.nanoseconds += 1_000_000
    return now
  }

  /// Carries out an operation and checks the store.
  func run<Op: Operation>(_ operation: Op) async throws -> Op.Result {
    defer { check("\(Op.self)") }
    return try await runner.run(operation, deadline: .distantFuture)
  }

  /// Records what does not hold of the store.
  func check(_ operation: String) {
    for violation in invariants.violations(in: store) {
      Issue.record("after \(operation): \(violation)")
    }
  }

  func put(_ bytes: [UInt8]?, _ key: Key) {
    store.put(bytes, at: KeyPath.path(of: key))
  }

  // MARK: - What people write

  /// Writes a pool, named for its range so that the order of names is that of ranges, or replaces it.
  func pool(
    _ cidr: String, blockSize: Int? = nil, name: String? = nil, nodes: String = "all()", namespaces: String = "",
    uses: [IPPool.AllowedUse] = [], isDisabled: Bool = false, isManual: Bool = false
  ) {
    var members = ["\"cidr\":\"\(cidr)\"", "\"nodeSelector\":\"\(escaped(nodes))\"", "\"disabled\":\(isDisabled)"]
    if let blockSize { members.append("\"blockSize\":\(blockSize)") }
    if !namespaces.isEmpty { members.append("\"namespaceSelector\":\"\(escaped(namespaces))\"") }
    if !uses.isEmpty {
      members.append("\"allowedUses\":[" + uses.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "]")
    }
    if isManual { members.append("\"assignmentMode\":\"Manual\"") }
    putResource(.ipPool, name ?? poolName(cidr), specification: members.joined(separator: ","))
  }

  func deletePool(_ cidr: String) {
    put(nil, .resource(.ipPool, poolName(cidr)))
  }

  private func poolName(_ cidr: String) -> String { cidr.replacing("/", with: "-") }

  /// Writes a node, or replaces it. Operations of hosts without one write it, without labels.
  func node(_ name: String, labels: [String: String] = [:]) {
    let text = labels.map { "\"\($0)\":\"\(escaped($1))\"" }.joined(separator: ",")
    let document = "{\"kind\":\"Node\",\"metadata\":{\"name\":\"\(name)\",\"labels\":{\(text)}},\"spec\":{}}"
    put(Array(document.utf8), .resource(.node, name))
  }

  func deleteNode(_ name: String) {
    put(nil, .resource(.node, name))
  }

  /// Writes a reservation, or replaces it; without entries it is deleted.
  func reserve(_ cidrs: [String], name: String = "reserved") {
    guard !cidrs.isEmpty else { return put(nil, .resource(.ipReservation, name)) }
    let entries = cidrs.map { "\"\($0)\"" }.joined(separator: ",")
    putResource(.ipReservation, name, specification: "\"reservedCIDRs\":[\(entries)]")
  }

  private func putResource(_ kind: ResourceKind, _ name: String, specification: String) {
    let document =
      "{\"kind\":\"\(kind.rawValue)\",\"apiVersion\":\"projectcalico.org/v3\",\"metadata\":{\"name\":\"\(name)\"},"
      + "\"spec\":{\(specification)}}"
    put(Array(document.utf8), .resource(kind, name))
  }

  private func escaped(_ text: String) -> String { text.replacing("\"", with: "\\\"") }
}

// MARK: - What is stored

extension Cluster {
  /// All blocks, or those of one family.
  func blocks(_ family: AddressFamily? = nil) throws -> [CIDR: IPAMBlock] {
    var blocks: [CIDR: IPAMBlock] = [:]
    for (path, bytes) in store.dump() {
      guard case .block(let cidr) = KeyPath.key(of: path), family ?? cidr.address.family == cidr.address.family else {
        continue
      }
      blocks[cidr] = try IPAMBlock(decoding: bytes, expected: cidr)
    }
    return blocks
  }

  func block(_ cidr: CIDR) throws -> IPAMBlock { try #require(try blocks()[cidr]) }

  /// The block of an address.
  func block(of address: IPAddress) throws -> IPAMBlock {
    try #require(try blocks().values.first { $0.cidr.contains(address) })
  }

  /// The number with which an address was given out or given back.
  func number(of address: IPAddress) throws -> UInt64? {
    let block = try block(of: address)
    return block.allocationNumbers[try #require(block.ordinal(of: address))]
  }

  /// All affinities.
  func affinities() throws -> [Key: BlockAffinity.State] {
    var affinities: [Key: BlockAffinity.State] = [:]
    for (path, bytes) in store.dump() {
      guard let key = KeyPath.key(of: path), case .affinity = key else { continue }
      affinities[key] = try BlockAffinity(decoding: bytes).state
    }
    return affinities
  }

  /// The affinities of a host.
  func affinities(of host: String, _ kind: BlockOwner.Kind = .host) throws -> [CIDR: BlockAffinity.State] {
    var affinities: [CIDR: BlockAffinity.State] = [:]
    for (key, state) in try self.affinities() {
      if case .affinity(BlockOwner(kind, host), let cidr) = key { affinities[cidr] = state }
    }
    return affinities
  }

  /// What a handle counts; nil when there is none.
  func handle(_ identifier: String) throws -> [CIDR: Int]? {
    guard let bytes = store.dump()[KeyPath.path(of: .handle(identifier))] else { return nil }
    return try IPAMHandle(decoding: bytes).counts
  }
}

/// The error with which an operation of the engine fails; nil when it does not.
func failure<Result>(_ body: () async throws -> Result) async throws -> EngineError? {
  do {
    _ = try await body()
    return nil
  } catch let error as EngineError {
    return error
  }
}
