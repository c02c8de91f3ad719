import Datastore
import JSON
import KubernetesClient
import TestSupport
import Testing

@Suite("Watches", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"), .serialized)
struct WatchTests {
  let server: KubernetesServer

  init() throws { server = try KubernetesServer.shared }

  private func watch(_ client: KubernetesClient, _ query: String) async throws -> KubernetesStream {
    try await client.stream(
      KubernetesRequest(.get, "/api/v1/namespaces/default/configmaps?watch=1&\(query)"), by: .lines,
      idleTimeout: .seconds(20))
  }

  private func make(_ name: String) throws {
    try server.request(
      "POST", "/api/v1/namespaces/default/configmaps", #"{"metadata":{"name":"\#(name)"},"data":{"a":"b"}}"#)
  }

  /// The type and the name of each line's object.
  private func events(_ lines: [[UInt8]]) throws -> [String] {
    try lines.map { line in
      let event = try #require(try JSON(parsing: line).objectValue)
      let object = event["object"]?.objectValue
      let name = object?["metadata"]?.objectValue?["name"]?.stringValue ?? ""
      return "\(event["type"]?.stringValue ?? "") \(name)"
    }
  }

  @Test("Lines come as things happen, whole and one by one")
  func lines() async throws {
    let client = try server.client()
    try make("watched-before")
    guard case .accepted(let next) = try await watch(client, "fieldSelector=metadata.name!=kube-root-ca.crt") else {
      Issue.record("refused")
      return
    }
    var seen: [String] = []
    while !seen.contains("ADDED watched-before") { seen += try events(try #require(try await next())) }
    try make("watched-after")
    while !seen.contains("ADDED watched-after") { seen += try events(try #require(try await next())) }
    try server.request("DELETE", "/api/v1/namespaces/default/configmaps/watched-after")
    while !seen.contains("DELETED watched-after") { seen += try events(try #require(try await next())) }
    await client.close()
  }

  @Test("A watch that begins with a list tells by a bookmark where it ends")
  func bookmarks() async throws {
    let client = try server.client()
    let query = "allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    guard case .accepted(let next) = try await watch(client, query) else {
      Issue.record("refused")
      return
    }
    var seen: [String] = []
    while !seen.contains("BOOKMARK ") { seen += try events(try #require(try await next())) }
    await client.close()
  }

  @Test("A watch that the server ends, ends")
  func end() async throws {
    let client = try server.client()
    guard case .accepted(let next) = try await watch(client, "timeoutSeconds=1") else {
      Issue.record("refused")
      return
    }
    while try await next() != nil {}
    #expect(try await next() == nil)
    await client.close()
  }

  @Test("A watch that cannot be had is a refusal with its status")
  func refusal() async throws {
    let client = try server.client()
    let stream = try await client.stream(
      KubernetesRequest(.get, "/apis/nobody.example/v1/things?watch=1"), by: .lines, idleTimeout: .seconds(20))
    guard case .refused(let response) = stream else {
      Issue.record("accepted")
      return
    }
    #expect(response.status == 404)
    let old = try await watch(client, "resourceVersion=99999999999")
    if case .refused(let response) = old { #expect(response.status != 200) }
    await client.close()
  }

  @Test("A watch whose task is cancelled ends at once")
  func cancellation() async throws {
    let client = try server.client()
    guard case .accepted(let next) = try await watch(client, "resourceVersion=0&labelSelector=none%3Dsuch") else {
      Issue.record("refused")
      return
    }
    let waiting = Task { try await next() }
    waiting.cancel()
    await #expect(throws: KubernetesTransportError.self) { try await waiting.value }
    await #expect(throws: KubernetesTransportError.self) { try await next() }
    #expect(try await client.get("/readyz").status == 200)
    await client.close()
  }

  @Test("A watch does not stand in the way of requests, nor they in its")
  func sharedConnection() async throws {
    let client = try server.client()
    guard case .accepted(let next) = try await watch(client, "resourceVersion=0") else {
      Issue.record("refused")
      return
    }
    #expect(try await client.get("/api/v1/namespaces/default").status == 200)
    try make("shared-connection")
    var seen: [String] = []
    while !seen.contains("ADDED shared-connection") { seen += try events(try #require(try await next())) }
    #expect(client.statistics.connections == 1)
    await client.close()
  }
}
