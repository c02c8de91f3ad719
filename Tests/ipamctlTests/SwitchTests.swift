import CalicoBackend
import CalicoModel
import Datastore
import Foundation
import HostLocal
import IPAM
import IPAddressing
import SQLiteDatastore
import Testing

@testable import CalicoIPAM
@testable import CalicoPlugin
@testable import ipamctl

@Suite("The switch between the strategies")
final class SwitchTests {
  private let directory: String
  private let database: SQLiteDatastore
  private var data: String { directory + "/networks" }

  init() async throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "switch-tests.\(UUID().uuidString)")
      .path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    database = SQLiteDatastore(path: directory + "/ipam.db")
    let pool = #"{"metadata":{"name":"p"},"spec":{"cidr":"10.65.0.0/24","blockSize":29,"nodeSelector":"all()"}}"#
    let change = Change(.resource(.ipPool, "p"), base: .absent, final: .value(.resource(Array(pool.utf8))))
    _ = try await database.commit(Plan([change]), deadline: .distantFuture)
  }

  deinit {
    // What a test leaves behind is in the system's temporary directory, and nobody's loss.
    try? FileManager.default.removeItem(atPath: directory)
  }

  private func reserve(_ address: String, _ content: String) throws {
    try FileManager.default.createDirectory(atPath: data + "/pods", withIntermediateDirectories: true)
    try Data(content.utf8).write(to: URL(filePath: "\(data)/pods/\(address)"))
  }

  private func reserved() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: data + "/pods")) ?? []
    return names.filter { $0 != "lock" }.sorted()
  }

  private var marker: StrategyMarker { StrategyMarker(network: "pods", dataDirectory: data) }

  private func adopt() async throws -> Adoption.Report {
    try await Adoption(network: "pods", node: "n1", dataDirectory: data, log: { _ in }).run(EmbeddedDatastore(database))
  }

  private func back(node: String = "n1", interface: String = "eth0") -> ReturnToHostLocal<EmbeddedDatastore> {
    let database = database
    // As the tool's store, it forgets what is recorded of handles that are deleted.
    let store = EmbeddedDatastore(database)
    return ReturnToHostLocal(
      network: "pods", node: node, dataDirectory: data, interfaceName: interface, store: store,
      evidence: { try await database.evidence(deadline: .distantFuture) }, log: { _ in })
  }

  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test("adoption moves what is in a pool, with its interface, and leaves the rest")
  func adoption() async throws {
    try reserve("10.65.0.3", "c1\r\nnet1")
    try reserve("10.65.0.4", "old")
    try reserve("10.99.0.1", "far\r\neth0")
    try reserve("10.65.0.5", "no container\r\neth0")
    let report = try await adopt()
    #expect(try report.adopted == [address("10.65.0.3"), address("10.65.0.4")])
    #expect(try report.outside == [address("10.99.0.1")])
    #expect(try report.kept.map(\.address) == [address("10.65.0.5")])
    #expect(reserved() == ["10.65.0.5", "10.99.0.1"])
    #expect(try marker.networks() == [CIDR("10.65.0.0/24")].compactMap { $0 })
    let evidence = try await database.evidence(deadline: .distantFuture)
    #expect(evidence.map(\.interfaceName) == ["net1"])
    #expect(try await back().survey().movable.map(\.interfaceName) == ["net1", "eth0"])
  }

  @Test("adoption goes on behind an assignment whose file is still there, and not behind somebody else's")
  func resumption() async throws {
    try reserve("10.65.0.3", "c1\r\neth0")
    _ = try await adopt()
    try reserve("10.65.0.3", "c1\r\neth0")
    #expect(try await adopt().adopted.count == 1)
    try reserve("10.65.0.3", "c2\r\neth0")
    let report = try await adopt()
    #expect(report.adopted.isEmpty)
    #expect(report.kept.first?.reason.contains("assigned to pods.c1") ?? false)
    #expect(reserved() == ["10.65.0.3"])
  }

  @Test("there is nothing to adopt where host-local never was, and nothing is made")
  func nothing() async throws {
    #expect(try await adopt() == Adoption.Report())
    #expect(!FileManager.default.fileExists(atPath: data))
  }

  @Test("the way back moves everything, removes the marker, and is complete behind a reservation that is there")
  func wayBack() async throws {
    try reserve("10.65.0.3", "c1\r\nnet1")
    try reserve("10.65.0.4", "c2\r\neth0")
    _ = try await adopt()
    // As a run leaves it that is cut off between the two steps.
    try reserve("10.65.0.4", "c2\r\neth0")
    #expect(back().isMarked)
    let report = try await back().perform()
    #expect(report.isComplete)
    #expect(report.moved.map(\.containerID) == ["c1", "c2"])
    #expect(reserved() == ["10.65.0.3", "10.65.0.4"])
    #expect(try String(contentsOfFile: data + "/pods/10.65.0.3", encoding: .utf8) == "c1\r\nnet1")
    #expect(!back().isMarked)
    #expect(try await back().survey().isEmpty)
    #expect(try await database.evidence(deadline: .distantFuture).isEmpty)
  }

  @Test("the way back keeps another node's addresses, a foreign reservation, and the marker")
  func kept() async throws {
    try reserve("10.65.0.3", "c1\r\neth0")
    _ = try await adopt()
    #expect(try await !back(node: "n2").perform().isComplete)
    try reserve("10.65.0.3", "c9\r\neth0")
    let survey = try await back().survey()
    #expect(try back().preview(survey).kept.count == 1)
    let report = try await back().perform()
    #expect(!report.isComplete && report.moved.isEmpty)
    #expect(report.kept.first?.reason.contains("reserved it for container c9") ?? false)
    #expect(back().isMarked)
    #expect(try await !back().survey().isEmpty)
  }

  @Test("a handle with a dot is nobody's for certain, unless there is a record of it")
  func ambiguity() async throws {
    try reserve("10.65.0.3", "c.1\r\neth0")
    try reserve("10.65.0.4", "c.2")
    _ = try await adopt()
    let survey = try await back().survey()
    #expect(survey.movable.map(\.containerID) == ["c.1"])
    #expect(try survey.kept.map(\.address) == [address("10.65.0.4")])
  }

  @Test("an assignment is kept apart from reservations in its pool, and a refusal leaves no marker")
  func refusal() async throws {
    let block = try #require(CIDR("10.65.0.8/29"))
    let pool = try #require(CIDR("10.65.0.0/24"))
    let neighbour = HostLocalNeighbour(network: "pods", dataDirectory: data, adoptCommand: "adopt!", log: { _ in })
    try reserve("10.65.0.200", "c1\r\neth0")
    var failure: CalicoFailure?
    do {
      let separation = try await neighbour.keepApart([block]) { [pool] }
      separation.finish()
    } catch let error as CalicoFailure {
      failure = error
    }
    #expect(failure?.message.contains("IP pool 10.65.0.0/24 overlaps 1 live host-local reservation") ?? false)
    #expect(failure?.details.contains("adopt!") ?? false)
    #expect(!marker.exists)
    try FileManager.default.removeItem(atPath: data + "/pods/10.65.0.200")
    let separation = try await neighbour.keepApart([block]) { [pool] }
    separation.finish()
    #expect(try marker.networks() == [pool])
  }

  @Test("where host-local has no directory none is made, and pools are read once")
  func withoutDirectory() async throws {
    let block = try #require(CIDR("10.65.0.8/29"))
    let neighbour = HostLocalNeighbour(network: "pods", dataDirectory: data, adoptCommand: "", log: { _ in })
    var reads = 0
    for _ in 0..<3 {
      let separation = try await neighbour.keepApart([block]) {
        reads += 1
        return []
      }
      separation.finish()
    }
    #expect(reads == 1)
    #expect(try marker.networks() == [block])
    #expect(!FileManager.default.fileExists(atPath: data + "/pods"))
  }
}
