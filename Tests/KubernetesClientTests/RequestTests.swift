import Datastore
import KubernetesClient
import TestSupport
import Testing

@Suite("Requests", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct RequestTests {
  let server: KubernetesServer

  init() throws { server = try KubernetesServer.shared }

  @Test("A token, a client certificate and each context of a kubeconfig let us in")
  func credentials() async throws {
    for settings in [
      server.settings(), server.kubeconfigSettings(), server.kubeconfigSettings(context: "admin"),
      server.kubeconfigSettings(context: "token"),
    ] {
      let client = try server.client(settings)
      let response = try await client.get("/api/v1/namespaces/default")
      #expect(response.status == 200)
      #expect(response.text.contains("\"name\":\"default\""))
      #expect(client.server == server.url)
      await client.close()
    }
  }

  @Test("Whatever the status, an answer is an answer")
  func statuses() async throws {
    let client = try server.client()
    #expect(try await client.get("/api/v1/nodes/nowhere").status == 404)
    let made = KubernetesRequest(
      .post, "/api/v1/namespaces", body: Array(#"{"metadata":{"name":"requests"}}"#.utf8))
    #expect(try await client.send(made, deadline: .after(milliseconds: 10_000)).status == 201)
    let again = try await client.send(made, deadline: .after(milliseconds: 10_000))
    #expect(again.status == 409)
    #expect(again.text.contains("AlreadyExists"))
    let patch = KubernetesRequest(
      .patch, "/api/v1/namespaces/requests", body: Array(#"{"metadata":{"labels":{"a":"b"}}}"#.utf8))
    #expect(try await client.send(patch, deadline: .after(milliseconds: 10_000)).text.contains(#""a":"b""#))
    let deletion = KubernetesRequest(.delete, "/api/v1/namespaces/requests")
    #expect(try await client.send(deletion, deadline: .after(milliseconds: 10_000)).status == 200)
    await client.close()
  }

  @Test("What the answer may be is asked for: metadata alone")
  func metadataOnly() async throws {
    let client = try server.client()
    let request = KubernetesRequest(
      .get, "/api/v1/namespaces", accepts: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    let response = try await client.send(request, deadline: .after(milliseconds: 10_000))
    #expect(response.text.contains("PartialObjectMetadataList"))
    await client.close()
  }

  @Test("Requests at the same time share one connection, and all are counted")
  func parallelRequests() async throws {
    let client = try server.client()
    await withTaskGroup(of: Int?.self) { group in
      for _ in 0..<50 { group.addTask { try? await client.get("/api/v1/namespaces/default").status } }
      for await status in group { #expect(status == 200) }
    }
    let statistics = client.statistics
    #expect(statistics.requests == 50)
    #expect(statistics.connections == 1)
    #expect(statistics.bytesReceived > 50 * 100)
    #expect(statistics.bytesSent > 0)
    await client.close()
  }

  @Test("A client that was closed says so")
  func closed() async throws {
    let client = try server.client()
    #expect(try await client.get("/readyz").status == 200)
    await client.close()
    await client.close()
    let error = try #require(await client.failure("/readyz"))
    #expect(error.code == .unreachable)
    #expect(error.description.contains("has been closed"))
  }
}
