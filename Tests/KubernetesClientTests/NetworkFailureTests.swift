import Datastore
import DatastoreSettings
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("When the network fails", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct NetworkFailureTests {
  let server: KubernetesServer

  init() throws { server = try KubernetesServer.shared }

  private func client(
    _ proxy: LoopbackProxy, patience: Duration = KubernetesClient.patience
  ) throws -> KubernetesClient {
    var settings = server.settings()
    settings.server = "https://127.0.0.1:\(proxy.port)"
    return try KubernetesClient(settings, patience: patience)
  }

  private func post(_ client: KubernetesClient, _ name: String, milliseconds: UInt64) async -> KubernetesTransportError?
  {
    let body = #"{"metadata":{"name":"\#(name)"}}"#
    do throws(KubernetesTransportError) {
      _ = try await client.send(
        KubernetesRequest(.post, "/api/v1/namespaces/default/configmaps", body: Array(body.utf8)),
        deadline: .after(milliseconds: milliseconds))
      return nil
    } catch {
      return error
    }
  }

  @Test("A port where nobody listens is unreachable: the request was certainly not sent")
  func nobodyListens() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    await proxy.stop()
    let error = try #require(await client.failure("/readyz"))
    #expect(error.code == .unreachable)
    #expect(error.description == "cannot reach the API server https://127.0.0.1:\(proxy.port): Connection refused")
    #expect(!error.advice.isEmpty)
    #expect(await post(client, "nobody", milliseconds: 5000)?.code == .unreachable)
    await client.close()
  }

  @Test("A host that takes the connection and says nothing is unreachable as well")
  func silentHandshake() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    proxy.behave(.swallows)
    let client = try client(proxy)
    #expect(await post(client, "silent-handshake", milliseconds: 500)?.code == .unreachable)
    await client.close()
    await proxy.stop()
  }

  @Test("A name without an address says so")
  func unknownName() async throws {
    var settings = server.settings()
    settings.server = "https://nowhere.invalid:6443"
    let client = try KubernetesClient(settings)
    let error = try #require(await client.failure("/readyz"))
    #expect(error.code == .unreachable)
    #expect(error.description.contains("nowhere.invalid"))
    await client.close()
  }

  @Test("A request whose answer is lost may have been done, and is not sent twice")
  func lostAnswer() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    #expect(try await client.get("/readyz").status == 200)
    let before = client.statistics.requests
    proxy.behave(.cutsAnswers)
    #expect(await post(client, "lost-answer", milliseconds: 5000)?.code == .lost)
    #expect(client.statistics.requests == before + 1)
    #expect(try server.request("GET", "/api/v1/namespaces/default/configmaps/lost-answer").status == 200)
    await client.close()
    await proxy.stop()
  }

  @Test("A question whose answer is lost is asked once more, over another connection")
  func repeatedQuestion() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    #expect(try await client.get("/readyz").status == 200)
    await proxy.cut()
    #expect(try await client.get("/readyz").status == 200)
    #expect(client.statistics.connections == 2)
    #expect(proxy.accepted == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A connection that has gone silent costs the request its time, and is not used again")
  func silence() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    #expect(try await client.get("/readyz").status == 200)
    proxy.behave(.swallows)
    let error = try #require(await post(client, "silence", milliseconds: 2000))
    #expect(error.code == .lost)
    #expect(error.description.contains("no answer within the time"))
    #expect(error.advice.contains("may have done it"))
    proxy.behave(.forwards)
    #expect(try await client.get("/readyz").status == 200)
    #expect(client.statistics.connections == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A question on a connection that has gone silent is soon asked once more, over another one")
  func silentQuestion() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy, patience: .milliseconds(300))
    #expect(try await client.get("/readyz").status == 200)
    proxy.silence()
    // Those that are under way at the same time share the new connection.
    await withTaskGroup(of: Int?.self) { group in
      for _ in 0..<5 { group.addTask { try? await client.get("/readyz", milliseconds: 600_000).status } }
      for await status in group { #expect(status == 200) }
    }
    #expect(client.statistics.connections == 2)
    #expect(proxy.accepted == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A write on a connection that has gone silent is soon in doubt, and is not sent again")
  func silentWrite() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy, patience: .milliseconds(300))
    #expect(try await client.get("/readyz").status == 200)
    let before = client.statistics.requests
    proxy.silence()
    let error = try #require(await post(client, "silent-write", milliseconds: 600_000))
    #expect(error.code == .lost)
    #expect(error.description.contains("the server says nothing"))
    #expect(error.advice.contains("may have done it"))
    #expect(client.statistics.requests == before + 1)
    // What was done is found out over another connection.
    #expect(try await client.get("/api/v1/namespaces/default/configmaps/silent-write").status == 404)
    #expect(proxy.accepted == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A server that never says anything is asked twice")
  func silentServer() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy, patience: .milliseconds(300))
    #expect(try await client.get("/readyz").status == 200)
    proxy.behave(.swallows)
    let error = try #require(await client.failure("/readyz", milliseconds: 600_000))
    // The second connection is not even made.
    #expect(error.code == .unreachable)
    #expect(proxy.accepted == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A watch that says nothing for too long counts as dead, and another one can be begun")
  func idleWatch() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    let request = KubernetesRequest(
      .get, "/api/v1/nodes?watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name=x")
    guard case .accepted(let next) = try await client.stream(request, by: .lines, idleTimeout: .milliseconds(300))
    else {
      Issue.record("refused")
      return
    }
    proxy.behave(.swallows)
    do {
      // What had come before the silence comes first.
      while try await next() != nil {}
      Issue.record("not dead")
    } catch {
      #expect(error.code == .lost)
      #expect(error.description.contains("the server says nothing"))
    }
    proxy.behave(.forwards)
    guard case .accepted = try await client.stream(request, by: .lines, idleTimeout: .seconds(5)) else {
      Issue.record("refused")
      return
    }
    #expect(client.statistics.connections == 2)
    await client.close()
    await proxy.stop()
  }

  @Test("A watch whose connection is cut is an error, and not an end")
  func cutWatch() async throws {
    let proxy = try await LoopbackProxy.start(to: server.port)
    let client = try client(proxy)
    let request = KubernetesRequest(.get, "/api/v1/nodes?watch=1&fieldSelector=metadata.name=x")
    guard case .accepted(let next) = try await client.stream(request, by: .lines, idleTimeout: .seconds(20)) else {
      Issue.record("refused")
      return
    }
    await proxy.cut()
    await #expect(throws: KubernetesTransportError.self) { try await next() }
    await client.close()
    await proxy.stop()
  }
}

@Suite("What goes over the wire")
struct WireTests {
  private func settings(_ server: ScriptedServer, _ change: (inout KubernetesSettings) -> Void = { _ in })
    -> KubernetesSettings
  {
    var settings = KubernetesSettings()
    settings.server = server.url + "/clusters/c-1/"
    change(&settings)
    return settings
  }

  @Test("A server that takes requests and answers none is asked twice, and told as one that says nothing")
  func silence() async throws {
    let server = try await ScriptedServer.start("")
    let client = try KubernetesClient(settings(server), patience: .milliseconds(200))
    let error = try #require(await client.failure("/api", milliseconds: 600_000))
    #expect(error.code == .lost)
    #expect(error.description.contains("the server says nothing"))
    #expect(server.requests.split(separator: "GET ").count == 2)
    await client.close()
    await server.stop()
  }

  @Test("A server that is too busy is an answer with the time to wait")
  func retryAfter() async throws {
    let server = try await ScriptedServer.start(
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}")
    let client = try KubernetesClient(settings(server))
    let response = try await client.get("/api/v1/nodes")
    #expect(response == KubernetesResponse(status: 429, body: Array("{}".utf8), retryAfter: 7))
    guard
      case .refused(let refusal) = try await client.stream(
        KubernetesRequest(.get, "/api/v1/nodes?watch=1"), by: .lines, idleTimeout: .seconds(5))
    else {
      Issue.record("accepted")
      return
    }
    #expect(refusal == response)
    await client.close()
    await server.stop()
  }

  @Test("Path, credentials, kinds of content and our name are sent as they should be")
  func request() async throws {
    let server = try await ScriptedServer.start("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    let client = try KubernetesClient(settings(server) { $0.token = " t-1\n" })
    let request = KubernetesRequest(.put, "/api/v1/nodes/a?fieldManager=x%20y", body: Array("{}".utf8))
    #expect(try await client.send(request, deadline: .after(milliseconds: 5000)).status == 201)
    // This server answers before it has read all: what was sent may still be on its way to it.
    for _ in 0..<500 where !server.requests.hasSuffix("{}") { try await Task.sleep(for: .milliseconds(10)) }
    let text = server.requests.lowercased()
    #expect(text.hasPrefix("put /clusters/c-1/api/v1/nodes/a?fieldmanager=x%20y http/1.1\r\n"))
    #expect(text.contains("\r\nauthorization: bearer t-1\r\n"))
    #expect(text.contains("\r\naccept: application/json\r\n"))
    #expect(text.contains("\r\ncontent-type: application/json\r\n"))
    #expect(text.contains("\r\ncontent-length: 2\r\n"))
    #expect(text.contains("\r\nuser-agent: swift-ipam\r\n"))
    #expect(text.hasSuffix("\r\n\r\n{}"))
    await client.close()
    await server.stop()
  }

  @Test("User and password are sent as the basic scheme has them")
  func basic() async throws {
    let server = try await ScriptedServer.start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    let text = """
      clusters: [{name: c, cluster: {server: "\(server.url)"}}]
      users: [{name: u, user: {username: Aladdin, password: "open sesame"}}]
      contexts: [{name: x, context: {cluster: c, user: u}}]
      current-context: x
      """
    var settings = KubernetesSettings()
    settings.kubeconfigText = text
    let client = try KubernetesClient(settings)
    _ = try await client.get("/api")
    // The example of RFC 7617, section 2.
    #expect(server.requests.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="))
    await client.close()
    await server.stop()
  }

  @Test("Redirections are not followed")
  func redirection() async throws {
    let server = try await ScriptedServer.start(
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    let client = try KubernetesClient(settings(server))
    #expect(try await client.get("/api").status == 302)
    await client.close()
    await server.stop()
  }

  @Test("A line of a watch that does not end is an error before it fills the memory")
  func endlessLine() async throws {
    let server = try await ScriptedServer.start(
      "HTTP/1.1 200 OK\r\n\r\n{\"a\":1}\n" + String(repeating: "x", count: (64 << 20) + 2))
    let client = try KubernetesClient(settings(server))
    guard
      case .accepted(let next) = try await client.stream(
        KubernetesRequest(.get, "/watch"), by: .lines, idleTimeout: .seconds(20))
    else {
      Issue.record("refused")
      return
    }
    #expect(try await next() == [Array("{\"a\":1}".utf8)])
    do {
      _ = try await next()
      Issue.record("accepted")
    } catch {
      #expect(error.description.contains("longer than 67108864 bytes"))
    }
    await client.close()
    await server.stop()
  }

  @Test("What is no HTTP is an error that says that the request was sent")
  func noHTTP() async throws {
    let server = try await ScriptedServer.start("220 mail.example ESMTP\r\n")
    let client = try KubernetesClient(settings(server))
    #expect(await client.failure("/api")?.code == .lost)
    await client.close()
    await server.stop()
  }
}
