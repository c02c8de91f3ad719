import CNI
import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAM
public import IPAddressing
import Testing

@testable import AssignmentExplanation

/// A datastore in memory, whose clock is told, with the question of what an ADD on it would get.
final class World {
  let store: InMemoryDatastore
  var now = Timestamp(seconds: 1_786_698_753)
  /// Who knows pods and namespaces.
  var directory: (any WorkloadDirectory)?
  var configuration = IPAMConfiguration() {
    didSet { put(configuration.encoded(), .configuration) }
  }

  init(commitsAtomically: Bool = true) {
    store = InMemoryDatastore(commitsAtomically: commitsAtomically)
  }

  func put(_ bytes: [UInt8]?, _ key: Key) { store.put(bytes, at: KeyPath.path(of: key)) }

  func put(_ text: String, _ key: Key) { put(Array(text.utf8), key) }

  /// Writes a pool: members of its `spec` besides the network and the size of blocks.
  func pool(_ name: String, _ cidr: String, blockSize: Int, _ more: String = "", status: String = "") {
    put(
      #"{"metadata":{"name":"\#(name)"},"spec":{"cidr":"\#(cidr)","blockSize":\#(blockSize)\#(more)}\#(status)}"#,
      .resource(.ipPool, name))
  }

  func node(_ name: String, _ labels: String = "") {
    put(#"{"metadata":{"name":"\#(name)","labels":{\#(labels)}},"spec":{}}"#, .resource(.node, name))
  }

  func reserve(_ cidrs: String...) {
    let texts = cidrs.map { "\"\($0)\"" }.joined(separator: ",")
    put(#"{"spec":{"reservedCIDRs":[\#(texts)]}}"#, .resource(.ipReservation, "r"))
  }

  // MARK: - What really happens

  func run<Op: Operation>(_ operation: Op) async throws -> Op.Result {
    try await OperationRunner(store, monotonic: { 0 }).run(operation, deadline: .distantFuture)
  }

  /// Gives addresses to a handle, as many as there are.
  @discardableResult
  func take(_ count: Int, handle: String, host: String, pools: [CIDR] = []) async throws -> [IPAddress] {
    let request = AutoAssignRequest(
      [.init(.v4, count: count, pools: pools)], handleID: handle, attributes: ["pod": handle, "namespace": "web"],
      host: host, use: .workload, time: now)
    return try await run(try AutoAssign(request)).families.flatMap(\.addresses).map(\.address.address)
  }

  func take(_ address: IPAddress, handle: String, host: String) async throws {
    let owner = ["pod": handle, "namespace": "web", "node": host]
    _ = try await run(
      AssignAddress(.init(address, handleID: handle, attributes: owner, host: host, use: .workload, time: now)))
  }

  func release(handle: String) async throws {
    _ = try await run(ReleaseByHandle([handle], time: now))
  }

  /// A real ADD of the plugin's code: the addresses, or the message with which it fails.
  func add(_ question: AssignmentQuestion, container: String = "c") async throws -> String {
    let network = try QuestionedNetwork(question)
    let time = now
    var surroundings = Surroundings(memoryDirectory: nil) { _ in }
    surroundings.now = { time }
    surroundings.monotonic = { 0 }
    surroundings.takesHostLock = false
    if let directory { surroundings.workloads = { directory } }
    let attachment = Attachment(containerID: container, interfaceName: InterfaceName("eth0"))
    var arguments: [UInt8] = []
    if let namespace = question.namespace, let pod = question.pod {
      arguments = Array("IgnoreUnknown=1;K8S_POD_NAMESPACE=\(namespace);K8S_POD_NAME=\(pod)".utf8)
    }
    let invocation = CNIInvocation(
      verb: .add, version: .newest, attachment: attachment, arguments: CNIArguments(arguments),
      configuration: network.configuration, streams: .ofProcess)
    let store = store
    let backend = try CalicoBackend(invocation, network.settings, surroundings: surroundings) { _, _ in store }
    do {
      let request = AssignmentRequest(attachment, addresses: question.addresses)
      return try await backend.assign(request).addresses.map(\.address.description).joined(separator: " ")
    } catch let failure as CalicoFailure {
      return failure.message
    }
  }

  // MARK: - What is said of it

  /// Puts a question, and demands that nothing is written.
  func explain(
    _ question: AssignmentQuestion, at location: SourceLocation = #_sourceLocation
  ) async throws -> Explanation {
    let before = store.dump()
    let time = now
    let explanation = try await Rehearsal(store, workloads: directory, now: { time }).explain(question)
    #expect(store.dump() == before, "the datastore is as it was", sourceLocation: location)
    return explanation
  }

  /// Asks for a new container on a node.
  func explain(
    _ node: String = "n1", at location: SourceLocation = #_sourceLocation,
    _ change: (inout AssignmentQuestion) -> Void = { _ in }
  ) async throws -> Explanation {
    var question = AssignmentQuestion(node: node)
    change(&question)
    return try await explain(question, at: location)
  }
}

extension Explanation {
  /// The addresses, or the message with which the ADD fails, as ``World/add(_:container:)`` tells them.
  var answer: String {
    switch outcome {
    case .assigned(let addresses): addresses.map(\.description).joined(separator: " ")
    case .refused(let failure): failure.message
    }
  }

  /// Why a pool is passed over; nil when it is not.
  func obstacle(_ pool: String) -> PoolObstacle? { pools.first { $0.pool.name == pool }?.obstacle }

  func fates(_ block: CIDR) -> [BlockFate] { blocks.first { $0.block == block }?.fates ?? [] }

  func tally(_ block: CIDR) -> BlockTally? { blocks.first { $0.block == block }?.tally }

  var commands: [String] { remedies.compactMap(\.command) }
}

extension CIDR: ExpressibleByStringLiteral {
  /// A network whose text is known to be one.
  public init(stringLiteral text: String) {
    guard let cidr = CIDR(text as String) else { preconditionFailure("\(text) is no CIDR") }
    self = cidr
  }
}

extension IPAddress: ExpressibleByStringLiteral {
  /// An address whose text is known to be one.
  public init(stringLiteral text: String) {
    guard let address = IPAddress(text as String) else { preconditionFailure("\(text) is no address") }
    self = address
  }
}
