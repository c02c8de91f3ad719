import CNI
import CalicoModel
import Datastore
import Foundation
import SQLiteDatastore
import Testing

@testable import CalicoIPAM

@Suite("The evidence of attachments")
final class AttachmentRecorderTests {
  private let directory: String
  private let database: SQLiteDatastore

  init() async throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "calico-ipam-tests.\(UUID().uuidString)")
      .path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    database = SQLiteDatastore(path: directory + "/ipam.db")
    let pool = #"{"metadata":{"name":"p"},"spec":{"cidr":"10.65.0.0/24","blockSize":29,"nodeSelector":"all()"}}"#
    let node = #"{"metadata":{"name":"n1"},"spec":{}}"#
    let changes = [(Key.resource(.ipPool, "p"), pool), (Key.resource(.node, "n1"), node)].map { key, text in
      Change(key, base: .absent, final: .value(.resource(Array(text.utf8))))
    }
    _ = try await database.commit(Plan(changes), deadline: .distantFuture)
    // Any file has a device and an inode.
    try Data().write(to: URL(filePath: directory + "/namespace"))
  }

  deinit {
    // What a test leaves behind is in the system's temporary directory, and nobody's loss.
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Calls the plugin.
  private func call(_ command: String, _ container: String, _ interface: String = "eth0", namespace: String)
    async throws
  {
    let configuration = """
      {"cniVersion":"1.0.0","name":"pods","nodename":"n1","datastore_type":"sqlite","database_file":"\(directory)/ipam.db",
       "ipam":{"type":"calico-ipam","dataDir":"\(directory)/networks"},
       "ipam_lock_file":"\(directory)/ipam.lock"}
      """
    let environment = CNIEnvironment(
      command: command, containerID: container, networkNamespace: namespace, interfaceName: interface, path: "/opt/cni")
    let input = directory + "/stdin"
    try Data(configuration.utf8).write(to: URL(filePath: input))
    let (standardInput, output) = (
      open(input, O_RDONLY), open(directory + "/stdout", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    )
    defer {
      close(standardInput)
      close(output)
    }
    let streams = CNIStreams(input: standardInput, output: output, diagnostics: output)
    let status = await CalicoIPAM.plugin.run(environment: environment, streams: streams)
    let text = try String(contentsOfFile: directory + "/stdout", encoding: .utf8)
    try #require(status == 0, "\(text)")
  }

  private func evidence() async throws -> [AttachmentEvidence] {
    try await database.evidence(deadline: .distantFuture)
  }

  private func line(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .newlines)
  }

  @Test("is recorded by ADD, with boot, machine and namespace")
  func recording() async throws {
    let namespace = directory + "/namespace"
    try await call("ADD", "c1", namespace: namespace)
    let found = try await evidence()
    let record = try #require(found.first)
    #expect(found.count == 1)
    #expect(record.handle == "pods.c1")
    #expect(record.network == "pods")
    #expect(record.containerID == "c1")
    #expect(record.interfaceName == "eth0")
    #expect(try record.bootID == line("/proc/sys/kernel/random/boot_id"))
    #expect(record.machineID == (try? line("/etc/machine-id")) ?? "")
    var status = stat()
    try #require(stat(namespace, &status) == 0)
    #expect(record.namespace?.path == namespace)
    #expect(record.namespace?.file?.inode == UInt64(status.st_ino))
    #expect(record.namespace?.file?.device == UInt64(status.st_dev))
    #expect(abs(record.recordedAt - Int64(time(nil))) < 60)
  }

  @Test("has no device and inode where the namespace cannot be seen")
  func unseen() async throws {
    try await call("ADD", "c1", namespace: "/run/netns/none-such")
    #expect(try await evidence().first?.namespace == AttachmentEvidence.Namespace(path: "/run/netns/none-such"))
  }

  @Test("is kept for each interface, and forgotten by DEL with the handle's addresses")
  func forgetting() async throws {
    let namespace = directory + "/namespace"
    try await call("ADD", "c1", namespace: namespace)
    try await call("ADD", "c1", "eth1", namespace: namespace)
    try await call("ADD", "c2", namespace: namespace)
    #expect(try await evidence().map(\.interfaceName) == ["eth0", "eth1", "eth0"])
    try await call("DEL", "c1", namespace: namespace)
    #expect(try await evidence().map(\.handle) == ["pods.c2"])
    try await call("DEL", "c1", namespace: "")
    try await call("DEL", "c2", namespace: "")
    #expect(try await evidence().isEmpty)
  }

  @Test("is forgotten by DEL even where the handle counts too much to be deleted")
  func overcounted() async throws {
    try await call("ADD", "c1", namespace: directory + "/namespace")
    let results = try await database.read([.entry(.handle("pods.c1"))], deadline: .distantFuture)
    guard case .entry(let stored?)? = results.first else { return #expect(Bool(false)) }
    var handle = try stored.handle()
    for block in handle.counts.keys { handle.increment(block, by: 1) }
    let change = Change(.handle("pods.c1"), base: .any, final: .value(.handle(handle)))
    _ = try await database.commit(Plan([change]), deadline: .distantFuture)
    try await call("DEL", "c1", namespace: "")
    #expect(try await evidence().isEmpty)
  }
}
