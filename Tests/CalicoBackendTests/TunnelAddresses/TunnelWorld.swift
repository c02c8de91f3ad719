import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

/// A store with a node, and what sees to the node's tunnel addresses.
final class TunnelWorld: Sendable {
  let memory: InMemoryDatastore
  private let clock = Mutex<Int64>(1_787_405_580)

  init(commitsAtomically: Bool = true) {
    memory = InMemoryDatastore(commitsAtomically: commitsAtomically)
    setNode()
  }

  var surroundings: Surroundings {
    var surroundings = Surroundings(memoryDirectory: nil) { _ in }
    surroundings.now = { [self] in
      Timestamp(
        seconds: clock.withLock {
          $0 += 1; return $0
        })
    }
    return surroundings
  }

  func tunnels(encryptsHostTraffic: Bool = false) -> TunnelAddresses<InMemoryDatastore> {
    TunnelAddresses(
      memory, node: "n1", surroundings: surroundings, encryptsHostTraffic: encryptsHostTraffic,
      pause: { _ in try await Task.sleep(for: .milliseconds(1)) })
  }

  @discardableResult
  func reconcile() async throws -> TunnelAddressReport { try await tunnels().reconcile() }

  // MARK: Resources

  func setNode(_ specification: String = "", labels: String = "", status: String = "") {
    let text =
      #"{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"n1","labels":{\#(labels)}},"#
      + #""spec":{\#(specification)},"status":{\#(status)}}"#
    memory.put(Array(text.utf8), at: KeyPath.path(of: .resource(.node, "n1")))
  }

  func pool(_ name: String, _ cidr: String, _ more: String = #""ipipMode":"Always""#, blockSize: Int = 31) {
    let text =
      #"{"kind":"IPPool","metadata":{"name":"\#(name)"},"spec":{"cidr":"\#(cidr)","blockSize":\#(blockSize),\#(more)}}"#
    memory.put(Array(text.utf8), at: KeyPath.path(of: .resource(.ipPool, name)))
  }

  func removePool(_ name: String) { memory.put(nil, at: KeyPath.path(of: .resource(.ipPool, name))) }

  /// The node's document.
  func node() throws -> JSONObject {
    let bytes = try #require(memory.dump()[KeyPath.path(of: .resource(.node, "n1"))])
    return try #require(try JSON(parsing: bytes).objectValue)
  }

  func specification() throws -> JSONObject { try #require(try node()["spec"]?.objectValue) }

  // MARK: Addresses

  private var runner: OperationRunner<InMemoryDatastore> { OperationRunner(memory) }

  func assign(_ address: String, handle: String?, attributes: [String: String] = [:]) async throws {
    let request = AssignAddress.Request(
      try #require(IPAddress(address)), handleID: handle, attributes: attributes, host: "n1", use: nil,
      time: surroundings.now())
    _ = try await runner.run(AssignAddress(request), deadline: .distantFuture)
  }

  func release(_ address: String) async throws {
    let option = ReleaseOption(try #require(IPAddress(address)))
    _ = try await runner.run(ReleaseAddresses([option], time: surroundings.now()), deadline: .distantFuture)
  }

  /// The addresses of a handle.
  func addresses(_ handle: String) async throws -> [String] {
    do {
      let query = AddressesOfHandle(handle, time: surroundings.now())
      return try await runner.run(query, deadline: .distantFuture).map(\.address.address.description)
    } catch let error as EngineError where error.code == .doesNotExist {
      return []
    }
  }

  /// What is recorded of an address; nil when it is free.
  func record(_ address: String) async throws -> AttributesOfAddress.Result? {
    do {
      let query = AttributesOfAddress(try #require(IPAddress(address)), time: surroundings.now())
      return try await runner.run(query, deadline: .distantFuture)
    } catch let error as EngineError where error.code == .doesNotExist || error.code == .coolingDown {
      return nil
    }
  }

  /// How many addresses are in use.
  func inUse() throws -> Int {
    try memory.dump().reduce(0) { count, entry in
      guard case .block(let cidr) = KeyPath.key(of: entry.key) else { return count }
      let block = try IPAMBlock(decoding: entry.value, expected: cidr)
      return count + (0..<block.size).filter { block.isInUse($0) }.count
    }
  }
}

/// The message of the failure that something ends with.
func tunnelFailure(_ body: () async throws -> Void) async -> String? {
  do {
    try await body()
    return nil
  } catch {
    return (error as? CalicoFailure)?.message ?? "\(error)"
  }
}
