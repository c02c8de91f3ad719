import CalicoModel
import Datastore
import DatastoreSettings
import JSON
import KubernetesClient
import TestSupport
import Testing

@testable import KubernetesDatastore

/// A server with the definitions of one group.
struct TestCluster: Sendable {
  let server: KubernetesServer
  let group: APIGroup

  static let first = Result { try TestCluster(.v1, "v1") }
  static let second = Result { try TestCluster(.v3, "v3") }

  private init(_ group: APIGroup, _ folder: String) throws {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let root = parts.joined(separator: "/") + "/integration/kubernetes/crds/"
    server = try KubernetesServer(definitions: root + folder)
    self.group = group
  }

  /// A new client; whoever takes it closes it.
  func client() throws -> KubernetesClient {
    var settings = KubernetesSettings()
    settings.kubeconfig = server.kubeconfig
    return try KubernetesClient(settings)
  }

  /// Deletes all of Calico's objects.
  func empty(_ client: KubernetesClient) async throws {
    let kinds: [ObjectKind] = [
      .block, .affinity, .handle, .configuration, .resource(.ipPool), .resource(.ipReservation),
      .resource(.clusterInformation), .resource(.tier),
    ]
    for kind in kinds {
      let request = KubernetesRequest(.delete, kind.path(in: group))
      let response = try await client.send(request, deadline: .after(milliseconds: 30_000))
      try #require(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    }
  }

  /// Sends a request that must succeed.
  @discardableResult
  func send(
    _ client: KubernetesClient, _ method: KubernetesRequest.Method, _ path: String, _ body: String? = nil
  ) async throws -> JSONObject {
    let request = KubernetesRequest(method, path, body: body.map { Array($0.utf8) })
    let response = try await client.send(request, deadline: .after(milliseconds: 30_000))
    let text = String(decoding: response.body, as: UTF8.self)
    try #require((200..<300).contains(response.status), "\(method.rawValue) \(path): \(text)")
    return try #require(try JSON(parsing: response.body).objectValue)
  }
}
