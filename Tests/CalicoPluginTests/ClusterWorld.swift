import CNI
import CalicoBackend
import CalicoModel
import Datastore
import DatastoreSettings
import Foundation
import IPAM
import IPAddressing
import JSON
import Testing

@testable import CalicoPlugin

/// A host with a cluster's datastore, on which the plugin is called as a runtime calls it.
final class ClusterWorld {
  let directory: String
  let store: CountingDatastore
  /// Members of the configuration besides those that every call has.
  var members = ""
  /// Members of `ipam`.
  var ipam = ""
  var connection: ClusterPlugin<CountingDatastore>.Connection
  var arguments = ""
  /// Where it is noted that the node's entries were upgraded, in the directory.
  var upgradeMarker = "/run/cni/ipam_upgraded"

  init(store: InMemoryDatastore = InMemoryDatastore()) throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "calico-plugin-tests.\(UUID().uuidString)")
      .path(percentEncoded: false)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    self.store = CountingDatastore(store)
    connection = ClusterPlugin.Connection(self.store)
  }

  deinit {
    // What a test leaves behind is in the system's temporary directory, and nobody's loss.
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Makes resources.
  func create(_ kind: ResourceKind, _ name: String, _ text: String) async throws {
    let change = Change(.resource(kind, name), base: .absent, final: .value(.resource(Array(text.utf8))))
    _ = try await store.base.commit(Plan([change]), deadline: .distantFuture)
  }

  func createPool(_ name: String, _ cidr: String, blockSize: Int, _ members: String = "") async throws {
    try await create(
      .ipPool, name,
      #"{"metadata":{"name":"\#(name)"},"spec":{"cidr":"\#(cidr)","blockSize":\#(blockSize),"nodeSelector":"all()"\#(members)}}"#
    )
  }

  func createNode(_ name: String) async throws {
    try await create(.node, name, #"{"metadata":{"name":"\#(name)"},"spec":{}}"#)
  }

  /// What a call came to.
  struct Answer {
    var status: Int32
    var text: String

    /// The addresses of an assignment.
    var addresses: [String] {
      get throws {
        guard case .object(let document) = try JSON(parsing: Array(text.utf8)),
          case .array(let elements)? = document["ips"]
        else { return [] }
        return elements.compactMap { element in
          guard case .object(let object) = element else { return nil }
          return object["address"]?.stringValue
        }
      }
    }

    /// The message of a failure.
    var message: String {
      get throws {
        guard case .object(let document) = try JSON(parsing: Array(text.utf8)) else { return "" }
        return document["msg"]?.stringValue ?? ""
      }
    }
  }

  /// Calls the plugin.
  @discardableResult
  func call(_ command: String, _ container: String = "", node: String = "n1") async throws -> Answer {
    let configuration = """
      {"cniVersion":"1.1.0","name":"pods","nodename":"\(node)","datastore_type":"etcdv3",\(members)
       "ipam":{"type":"calico-ipam",\(ipam)"dataDir":"\(directory)/networks"},"ipam_lock_file":"\(directory)/lock"}
      """
    let version = configuration.replacingOccurrences(of: "1.1.0", with: command == "ADD" ? "1.0.0" : "1.1.0")
    let environment = CNIEnvironment(
      command: command, containerID: container, networkNamespace: "/run/netns/none", interfaceName: "eth0",
      arguments: arguments, path: "/opt/cni")
    let input = directory + "/stdin"
    try Data(version.utf8).write(to: URL(filePath: input))
    let (standardInput, output) = (
      open(input, O_RDONLY), open(directory + "/stdout", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    )
    let diagnostics = open(directory + "/stderr", O_RDWR | O_CREAT | O_APPEND, 0o600)
    defer {
      close(standardInput)
      close(output)
      close(diagnostics)
    }
    let streams = CNIStreams(input: standardInput, output: output, diagnostics: diagnostics)
    let connection = connection
    let plugin = ClusterPlugin(
      .etcd, environment: [:], memoryDirectory: directory + "/memory", upgradeMarker: directory + upgradeMarker
    ) { _ in connection }
    let status = await plugin.plugin.run(environment: environment, streams: streams)
    return Answer(status: status, text: try String(contentsOfFile: directory + "/stdout", encoding: .utf8))
  }

  /// Assigns, and demands that it worked.
  @discardableResult
  func add(_ container: String) async throws -> [String] {
    let answer = try await call("ADD", container)
    try #require(answer.status == 0, "\(answer.text)")
    return try answer.addresses
  }

  /// Everything in the store whose path contains a text.
  func entries(_ text: String) -> [String] { store.base.dump().keys.filter { $0.contains(text) }.sorted() }
}
