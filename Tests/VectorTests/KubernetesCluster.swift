import CalicoModel
import Datastore
import DatastoreSettings
import JSON
import KubernetesClient
import KubernetesDatastore
import TestSupport
import Testing

/// A server with Calico's objects and nothing else, for one scenario after the other.
struct KubernetesCluster: Sendable {
  let server: KubernetesServer
  let client: KubernetesClient

  static let collections = [
    "ipamblocks", "blockaffinities", "ipamhandles", "ipamconfigs", "ippools", "ipreservations", "clusterinformations",
    "tiers",
  ]
  private static let root = "/apis/crd.projectcalico.org/v1/"

  private static let definitions: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/integration/kubernetes/crds/v1"
  }()

  /// Starts a server.
  init() throws {
    server = try KubernetesServer(definitions: Self.definitions)
    var settings = KubernetesSettings()
    settings.kubeconfig = server.kubeconfig
    client = try KubernetesClient(settings)
  }

  /// Sends a request, which must succeed, by the client: thousands of processes would take long.
  @discardableResult
  func request(_ method: KubernetesRequest.Method, _ path: String, _ body: JSONObject? = nil) async throws -> JSONObject
  {
    let request = KubernetesRequest(method, path, body: body.map { JSON.object($0).encoded() })
    let response = try await client.send(request, deadline: .after(milliseconds: 30_000))
    let text = String(decoding: response.body, as: UTF8.self)
    try #require((200..<300).contains(response.status), "\(method.rawValue) \(path): \(text)")
    return try #require(try JSON(parsing: response.body).objectValue)
  }

  /// All of Calico's objects.
  func objects() async throws -> RecordedObjects {
    var objects: RecordedObjects = [:]
    for collection in Self.collections {
      for item in try await request(.get, Self.root + collection)["items"]?.arrayValue ?? [] {
        let object = try #require(item.objectValue)
        objects[collection + "/" + (try object.object("metadata").text("name"))] = object
      }
    }
    return objects
  }

  /// Makes Calico's objects these and no others.
  func load(_ wanted: RecordedObjects) async throws {
    for collection in Self.collections { try await request(.delete, Self.root + collection) }
    for (key, object) in wanted {
      let collection = String(key.prefix { $0 != "/" })
      let text = JSONObject.unescaped(JSON.object(object.storable).text)
      // In annotations the marks are inside text of their own.
      let marked = try #require(Normalization.loadable([key: text])[key])
        .replacing("<TIME>", with: Normalization.recorded.description)
      let filled = try #require(try JSON(parsing: Array(marked.utf8)).objectValue)
      try await request(.post, Self.root + collection, filled)
    }
  }

  /// Creates or changes an object of Kubernetes itself.
  func apply(_ object: JSONObject) async throws {
    let name = try object.object("metadata").text("name")
    let collection = try object.text("kind") == "Node" ? "/api/v1/nodes" : "/api/v1/namespaces"
    let path = collection + "/" + name
    let present = try await client.send(KubernetesRequest(.get, path), deadline: .after(milliseconds: 30_000))
    if present.status == 404 { return _ = try await request(.post, collection, object) }
    var changed = object
    var metadata = try object.object("metadata")
    metadata["resourceVersion"] = try JSON(parsing: present.body).objectValue?.object("metadata")["resourceVersion"]
    changed["metadata"] = .object(metadata)
    try await request(.put, path, changed)
  }

  /// Removes all nodes, and sees to the namespaces that the recorded cluster had from the beginning.
  func reset() async throws {
    try await request(.delete, "/api/v1/nodes")
    for team in ["x", "y"] {
      let metadata: JSONObject = ["name": .string("team-" + team), "labels": ["team": .string(team)]]
      try await apply(["apiVersion": "v1", "kind": "Namespace", "metadata": .object(metadata)])
    }
  }
}
