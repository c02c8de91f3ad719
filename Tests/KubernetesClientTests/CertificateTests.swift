import Datastore
import DatastoreSettings
import KubernetesClient
import TestSupport
import Testing

@Suite("Certificates", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct CertificateTests {
  let server: KubernetesServer
  let folder: TemporaryFolder

  init() throws {
    server = try KubernetesServer.shared
    folder = try TemporaryFolder()
  }

  private func failure(_ settings: KubernetesSettings) async throws -> KubernetesTransportError {
    let client = try KubernetesClient(settings)
    let error = await client.failure("/readyz")
    await client.close()
    return try #require(error)
  }

  @Test("A server whose certificate another authority has signed is refused, with the authority's name")
  func wrongAuthority() async throws {
    let other = try KubernetesServer()
    var settings = server.settings()
    settings.authority = .file(other.certificates + "/ca.crt")
    let error = try await failure(settings)
    #expect(error.code == .refusedCertificate)
    #expect(
      error.description
        == "the certificate of the API server \(server.url) is not accepted: it is not signed by the certificate "
        + "authority \(other.certificates)/ca.crt")
    #expect(error.advice.contains("certificate-authority"))
    settings.authority = nil
    #expect(try await failure(settings).description.contains("no other one is configured"))
    other.stop()
  }

  @Test("A certificate for another address or name is refused, unless the right name is configured")
  func wrongName() async throws {
    // The server's certificate is for 127.0.0.1 and not for this one.
    let proxy = try await LoopbackProxy.start(to: server.port, on: "127.0.0.2")
    let url = "https://127.0.0.2:\(proxy.port)"
    let authority = server.certificates + "/ca.crt"
    func settings(_ name: String) throws -> KubernetesSettings {
      var settings = KubernetesSettings()
      settings.kubeconfigText = """
        clusters:
        - name: c
          cluster: {server: "\(url)", certificate-authority: "\(authority)", tls-server-name: "\(name)"}
        users: [{name: u, user: {token: "\(server.token)"}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
      return settings
    }
    for (name, expected) in [("other.example", "other.example"), ("", "127.0.0.2")] {
      let error = try await failure(try settings(name))
      #expect(error.code == .refusedCertificate)
      #expect(error.description == "the certificate of the API server \(url) is not for \(expected)")
      #expect(error.advice.contains("tls-server-name"))
    }
    let client = try KubernetesClient(try settings("localhost"))
    #expect(try await client.get("/api/v1/namespaces/default").status == 200)
    await client.close()
    await proxy.stop()
  }

  @Test("Without verification anybody is let pass")
  func noVerification() async throws {
    var settings = server.settings()
    settings.authority = nil
    settings.skipsVerification = true
    let client = try KubernetesClient(settings)
    #expect(try await client.get("/readyz").status == 200)
    await client.close()
  }

  @Test(
    "A server's certificate that has expired is named as such, with the day",
    .enabled(if: ExpiredCertificate.isPossible, "openssl is not installed"))
  func expiredServer() async throws {
    let certificate = try ExpiredCertificate(in: folder.path, subject: "/CN=server")
    let handshakes = try HandshakeServer(certificate)
    var settings = KubernetesSettings()
    settings.server = "https://127.0.0.1:\(handshakes.port)"
    settings.authority = .file(certificate.certificate)
    let error = try await failure(settings)
    #expect(error.code == .refusedCertificate)
    #expect(error.description.contains("the server's certificate expired on 20"))
    #expect(error.advice.contains("clock"))
  }

  @Test(
    "Our own certificate that has expired is named as such when the server refuses us, and a new one counts at once",
    .enabled(if: ExpiredCertificate.isPossible, "openssl is not installed"))
  func expiredClient() async throws {
    let expired = try ExpiredCertificate(
      in: folder.path, subject: "/CN=admin/O=system:masters", authority: server.certificates)
    var settings = server.settings()
    settings.token = ""
    settings.certificate = .file(expired.certificate)
    settings.key = .file(expired.key)
    let client = try KubernetesClient(settings)
    let error = try #require(await client.failure("/api/v1/namespaces/default"))
    #expect(error.code == .refusedCertificate)
    #expect(error.description.contains("the client certificate \(expired.certificate) expired on 20"))
    try folder.write(try TemporaryFolder.contents(of: server.certificates + "/admin.key"), to: "expired.key")
    try folder.write(try TemporaryFolder.contents(of: server.certificates + "/admin.crt"), to: "expired.crt")
    #expect(try await client.get("/api/v1/namespaces/default").status == 200)
    await client.close()
  }

  @Test("Files that are missing, or hold something else, are named")
  func badFiles() throws {
    let text = try folder.write("no certificate", to: "text")
    let cases: [(change: (inout KubernetesSettings) -> Void, message: String)] = [
      ({ $0.authority = .file("/nowhere/ca.crt") }, "cannot read the certificate authority /nowhere/ca.crt: No such"),
      ({ $0.authority = .file(text) }, "the certificate authority \(text) holds no certificate in PEM"),
      ({ $0.authority = .text("x") }, "the configured certificate authority holds no certificate in PEM"),
      (
        {
          $0.certificate = .file(server.certificates + "/admin.crt")
          $0.key = .file(text)
        }, "the client key \(text) holds no private key in PEM without a passphrase"
      ),
      ({ $0.certificate = .file(text) }, "a client certificate for \(server.url) is configured without its key"),
      ({ $0.key = .file(text) }, "a client key for \(server.url) is configured without its certificate"),
    ]
    for (change, message) in cases {
      var settings = server.settings()
      change(&settings)
      do throws(KubernetesTransportError) {
        _ = try KubernetesClient(settings)
        Issue.record("accepted: \(message)")
      } catch {
        #expect(error.code == .settings)
        #expect(error.description.hasPrefix(message), "\(error.description)")
        #expect(!error.advice.isEmpty)
      }
    }
  }
}

@Suite("Tokens", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct TokenTests {
  let server: KubernetesServer
  let folder: TemporaryFolder

  init() throws {
    server = try KubernetesServer.shared
    folder = try TemporaryFolder()
  }

  @Test("A token that has expired is replaced by the one that its file has by now, and the request is sent again")
  func rotation() async throws {
    var settings = server.settings()
    settings.token = ""
    settings.tokenFile = try folder.write("expired\n", to: "token")
    let client = try KubernetesClient(settings)
    #expect(try await client.get("/api/v1/namespaces/default").status == 401)
    try folder.write(server.token + "\n", to: "token")
    #expect(try await client.get("/api/v1/namespaces/default").status == 200)
    #expect(client.statistics.requests == 3)
    try folder.write("expired again", to: "token")
    let stream = try await client.stream(
      KubernetesRequest(.get, "/api/v1/nodes?watch=1"), by: .lines, idleTimeout: .seconds(20))
    if case .refused(let response) = stream { Issue.record("\(response.text)") }
    await client.close()
  }

  @Test("A watch is begun again with the new token as well")
  func rotationOfWatch() async throws {
    var settings = server.settings()
    settings.token = ""
    settings.tokenFile = try folder.write("expired", to: "token")
    let client = try KubernetesClient(settings)
    let request = KubernetesRequest(.get, "/api/v1/nodes?watch=1")
    guard case .refused(let response) = try await client.stream(request, by: .lines, idleTimeout: .seconds(20)) else {
      Issue.record("accepted")
      return
    }
    #expect(response.status == 401)
    try folder.write(server.token, to: "token")
    if case .refused(let response) = try await client.stream(request, by: .lines, idleTimeout: .seconds(20)) {
      Issue.record("\(response.text)")
    }
    await client.close()
  }

  @Test("A process in a pod uses the pod's service account")
  func inCluster() async throws {
    try folder.write(server.token, to: "token")
    try folder.write(try TemporaryFolder.contents(of: server.certificates + "/ca.crt"), to: "ca.crt")
    let port = String(server.port)
    let environment = KubernetesEnvironment(serviceAccountFolder: folder.path) { name in
      ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port][name]
    }
    let client = try KubernetesClient(KubernetesSettings(), environment: environment)
    #expect(try await client.get("/api/v1/namespaces/default").status == 200)
    #expect(client.server == server.url)
    await client.close()
  }
}
