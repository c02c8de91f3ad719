import DatastoreSettings
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Kubeconfigs")
struct KubeconfigTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let noPod = KubernetesEnvironment { _ in nil }

  private func access(
    _ settings: KubernetesSettings, _ environment: KubernetesEnvironment = noPod
  ) throws -> ServerAccess {
    try ServerAccess(settings, environment)
  }

  private func access(
    text: String, _ change: (inout KubernetesSettings) -> Void = { _ in }
  ) throws -> ServerAccess {
    var settings = KubernetesSettings()
    settings.kubeconfigText = text
    change(&settings)
    return try access(settings)
  }

  private func failure(_ body: () throws -> ServerAccess) -> KubernetesTransportError? {
    do {
      _ = try body()
      return nil
    } catch {
      return error as? KubernetesTransportError
    }
  }

  private static let two = """
    apiVersion: v1
    kind: Config
    current-context: one
    clusters:
    - name: c1
      cluster: {server: "https://one.example:6443/", insecure-skip-tls-verify: true}
    - name: c2
      cluster:
        server: https://[fd00::1]
        certificate-authority-data: Y2EtdGV4dA==
        tls-server-name: two.example
        proxy-url: http://proxy.example:3128
    users:
    - name: u1
      user: {token: t1}
    - name: u2
      user: {client-certificate-data: YQ==, client-key-data: YWI=, username: ann, password: p}
    contexts:
    - name: one
      context: {cluster: c1, user: u1, namespace: web}
    - name: two
      context: {cluster: c2, user: u2}
    """

  @Test("The current context leads to a cluster and a user")
  func currentContext() throws {
    let access = try access(text: Self.two)
    #expect(access.server.url == "https://one.example:6443")
    #expect(access.token == "t1")
    #expect(access.skipsVerification)
    #expect(access.authority == nil)
    #expect(access.proxy == nil)
  }

  @Test("Another context may be named; data is decoded, and all of a cluster and a user counts")
  func namedContext() throws {
    let access = try access(text: Self.two) { $0.context = "two" }
    #expect(access.server == ServerAddress("https://[fd00::1]:443"))
    #expect(access.server.host == "fd00::1")
    #expect(access.server.authority == "[fd00::1]:443")
    #expect(access.serverName == "two.example")
    #expect(access.proxy == ServerAddress("http://proxy.example:3128"))
    #expect(!access.proxySpeaksSOCKS)
    #expect(!access.skipsVerification)
    #expect(
      access.authority
        == .data(
          Array("ca-text".utf8), name: "clusters[c2].certificate-authority-data of the inline kubeconfig"))
    guard case .data(let certificate, _)? = access.certificate, case .data(let key, _)? = access.key else {
      Issue.record("no certificate")
      return
    }
    #expect(certificate == Array("a".utf8))
    #expect(key == Array("ab".utf8))
    #expect(access.username == "ann")
    #expect(access.password == "p")
  }

  @Test("JSON is a kubeconfig as well, and unknown members do not matter")
  func json() throws {
    let text =
      #"{"clusters":[{"name":"c","cluster":{"server":"http://a:8080/x/"},"z":1}],"preferences":{},"#
      + #""contexts":[{"name":"x","context":{"cluster":"c","user":""}}],"users":null,"current-context":"x"}"#
    let access = try access(text: text)
    #expect(access.server.url == "http://a:8080/x")
    #expect(!access.server.usesTLS)
    #expect(access.token.isEmpty)
  }

  @Test("Of several files the first that says something counts, and what it says of a name counts as a whole")
  func merging() throws {
    let first = try folder.write(
      """
      users: [{name: u, user: {token: first}}]
      contexts: [{name: x, context: {cluster: c, user: u}}]
      """, to: "first")
    let second = try folder.write(
      """
      current-context: x
      clusters: [{name: c, cluster: {server: "https://second"}}]
      users: [{name: u, user: {token: second, username: second, password: p}}]
      contexts: [{name: x, context: {cluster: other}}, {name: z, context: {cluster: c}}]
      """, to: "second")
    let third = try folder.write(
      "{current-context: z, clusters: [{name: c, cluster: {server: 'https://third'}}]}", to: "third")
    var settings = KubernetesSettings()
    settings.kubeconfig = "\(first):/nowhere/at/all:\(second)::\(third)"
    let merged = try access(settings)
    #expect(merged.server.url == "https://second:443")
    #expect(merged.token == "first")
    #expect(merged.username.isEmpty)
    settings.kubeconfig = "\(third):\(second)"
    #expect(try access(settings).server.url == "https://third:443")
  }

  @Test("Paths are relative to the file that they stand in")
  func relativePaths() throws {
    let file = try folder.write(
      """
      current-context: x
      clusters: [{name: c, cluster: {server: "https://a", certificate-authority: pki/ca.crt}}]
      users: [{name: u, user: {client-certificate: ../c.crt, client-key: /abs/c.key, tokenFile: token}}]
      contexts: [{name: x, context: {cluster: c, user: u}}]
      """, to: "config")
    var settings = KubernetesSettings()
    settings.kubeconfig = file
    let access = try access(settings)
    #expect(access.authority == .file(folder.path + "/pki/ca.crt"))
    #expect(access.certificate == .file(folder.path + "/../c.crt"))
    #expect(access.key == .file("/abs/c.key"))
    #expect(access.tokenFile == folder.path + "/token")
  }

  @Test("What is configured goes before what the kubeconfig says")
  func overrides() throws {
    let access = try access(text: Self.two) { settings in
      settings.context = "two"
      settings.server = "https://other.example"
      settings.token = "other"
      settings.authority = .file("/ca")
      settings.certificate = .file("/c")
      settings.key = .text("key")
    }
    #expect(access.server.url == "https://other.example:443")
    #expect(access.token == "other")
    #expect(access.username.isEmpty)
    #expect(access.authority == .file("/ca"))
    #expect(access.certificate == .file("/c"))
    #expect(access.key == .data(Array("key".utf8), name: "the configured client key"))
    let file = try self.access(text: Self.two) { $0.tokenFile = "/token" }
    #expect(file.token.isEmpty)
    #expect(file.tokenFile == "/token")
    let verifying = try self.access(text: Self.two) { $0.authority = .file("/ca") }
    #expect(!verifying.skipsVerification)
    let careless = try self.access(text: Self.two) {
      $0.context = "two"
      $0.skipsVerification = true
    }
    #expect(careless.skipsVerification)
  }

  @Test("A server that is configured needs no kubeconfig, and no context of one")
  func serverAlone() throws {
    var settings = KubernetesSettings()
    settings.server = "https://a.example:1"
    #expect(try access(settings).server.url == "https://a.example:1")
    let contextless = try access(text: "clusters: []") { $0.server = "https://b.example" }
    #expect(contextless.server.host == "b.example")
  }

  @Test("In a pod its service account is used, with IPv6 as well")
  func serviceAccount() throws {
    let environment = KubernetesEnvironment(serviceAccountFolder: "/sa") { name in
      ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"][name]
    }
    let access = try access(KubernetesSettings(), environment)
    #expect(access.server.url == "https://[fd00::1]:443")
    #expect(access.tokenFile == "/sa/token")
    #expect(access.authority == .file("/sa/ca.crt"))
  }

  @Test("Where nothing is configured that is said, with what to do")
  func nothing() {
    let error = failure { try access(KubernetesSettings()) }
    #expect(error?.code == .settings)
    #expect(error?.description.hasPrefix("no Kubernetes configuration: ") == true)
    #expect(error?.advice.contains("KUBECONFIG") == true)
  }

  @Test("Credentials by a program are refused with what to use instead, unless others are configured")
  func exec() throws {
    func text(_ method: String) -> String {
      """
      current-context: x
      clusters: [{name: c, cluster: {server: "https://a"}}]
      users: [{name: u, user: {\(method): {command: aws}}}]
      contexts: [{name: x, context: {cluster: c, user: u}}]
      """
    }
    for method in ["exec", "auth-provider"] {
      let error = failure { try access(text: text(method)) }
      #expect(
        error?.description
          == "user \"u\" of the inline kubeconfig gets its credentials by \(method), which this program does not run")
      #expect(error?.advice.contains("kubectl create token") == true)
      #expect(try access(text: text(method)) { $0.token = "t" }.token == "t")
    }
  }

  @Test(
    "What a kubeconfig lacks is named, with what there is",
    arguments: [
      ("{}", "", "the inline kubeconfig has no current context, and no context is configured", "add a context"),
      ("{}", "x", "the inline kubeconfig has no context \"x\"", "add a context"),
      (two, "three", "the inline kubeconfig has no context \"three\"", "there is: one, two"),
      (
        "{current-context: x, contexts: [{name: x, context: {cluster: c}}]}", "",
        "context \"x\" of the inline kubeconfig leads to no server: cluster \"c\" is not there", "add a cluster"
      ),
      (
        "{current-context: x, contexts: [{name: x, context: {cluster: c}}], clusters: [{name: c}]}", "",
        "context \"x\" of the inline kubeconfig leads to no server: cluster \"c\" names none", "there is: c"
      ),
      (
        "{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}], "
          + "clusters: [{name: c, cluster: {server: 'https://a'}}]}", "",
        "the inline kubeconfig has no user \"u\", which context \"x\" names", "add a user"
      ),
    ])
  func lacking(text: String, context: String, message: String, advice: String) {
    let error = failure { try access(text: text) { $0.context = context } }
    #expect(error?.code == .settings)
    #expect(error?.description == message)
    #expect(error?.advice.hasPrefix(advice) == true)
  }

  @Test(
    "What is malformed is named by its place",
    arguments: [
      ("[]", "the document is not an object"),
      ("clusters: 7", "clusters is not a list"),
      ("users: [7]", "an entry of users is not an object"),
      ("users: [{name: 7}]", "users[].name is not a text"),
      ("users: [{name: u, user: x}]", "users[u].user is not an object"),
      ("users: [{name: u, user: {token: 7}}]", "users[u].token is not a text"),
      ("users: [{name: u, user: {client-key-data: 'a b!'}}]", "users[u].client-key-data is not base64"),
      (
        "clusters: [{name: c, cluster: {insecure-skip-tls-verify: x}}]",
        "clusters[c].insecure-skip-tls-verify is not true or false"
      ),
      ("current-context: 7", "current-context is not a text"),
    ])
  func malformed(text: String, problem: String) {
    #expect(failure { try access(text: text) }?.description == "cannot read the inline kubeconfig: \(problem)")
  }

  @Test("What is no YAML, and files that are missing or cannot be read, are named")
  func unreadable() throws {
    #expect(
      failure { try access(text: "a: [") }?.description.contains("cannot read the inline kubeconfig: yaml: ") == true)
    var settings = KubernetesSettings()
    settings.kubeconfig = "/nowhere/a:/nowhere/b"
    #expect(failure { try access(settings) }?.description == "no such kubeconfig: /nowhere/a, /nowhere/b")
    settings.kubeconfig = folder.path
    #expect(
      failure { try access(settings) }?.description.hasPrefix("cannot read the kubeconfig \(folder.path)") == true)
  }

  @Test(
    "A proxy that cannot be used is refused",
    arguments: ["https://proxy:3128", "ftp://proxy", "http://proxy:x", "http://proxy/path", "proxy"])
  func proxies(url: String) {
    let text = """
      current-context: x
      clusters: [{name: c, cluster: {server: "https://a", proxy-url: "\(url)"}}]
      contexts: [{name: x, context: {cluster: c}}]
      """
    #expect(failure { try access(text: text) }?.description.hasPrefix("proxy-url \(url) cannot be used") == true)
  }

  @Test("A SOCKS proxy has its own port")
  func socks() throws {
    let text = """
      current-context: x
      clusters: [{name: c, cluster: {server: "https://a", proxy-url: "socks5://proxy"}}]
      contexts: [{name: x, context: {cluster: c}}]
      """
    let access = try access(text: text)
    #expect(access.proxySpeaksSOCKS)
    #expect(access.proxy?.port == 1080)
  }
}

@Suite("Addresses of servers")
struct ServerAddressTests {
  @Test(
    "A URL has scheme, host, port and a path that goes before every other",
    arguments: [
      ("https://10.0.0.1:6443", "https://10.0.0.1:6443"), ("https://a", "https://a:443"), ("http://a", "http://a:80"),
      ("a:8080", "http://a:8080"), ("https://[fd00::1]:6443/", "https://[fd00::1]:6443"),
      ("https://a/k8s/clusters/c-1/", "https://a:443/k8s/clusters/c-1"), ("HTTPS://A", "https://A:443"),
    ])
  func good(text: String, url: String) {
    #expect(ServerAddress(text)?.url == url)
  }

  @Test(
    "What is no URL of a server is none",
    arguments: [
      "", "https://", "https://:6443", "https://a:0", "https://a:65536", "https://a:x", "https://a:", "ftp://a",
      "https://user@a", "https://a b", "https://[fd00::1", "https://[fd00::1]x", "https://a?b", "https://a/b#c",
      "https://a\u{0}", "https://fd00::1",
    ])
  func bad(text: String) {
    #expect(ServerAddress(text) == nil)
  }
}

@Suite("Base64")
struct Base64Tests {
  // The examples of RFC 4648, section 10.
  private static let examples = [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ]

  @Test("The RFC's examples are read and written", arguments: examples)
  func roundTripOfExamples(plain: String, encoded: String) {
    #expect(Base64Text.decode(encoded) == Array(plain.utf8))
    #expect(Base64Text.encode(Array(plain.utf8)) == encoded)
  }

  @Test("All bytes come back, whatever the length")
  func roundTrip() {
    var generator = SeededGenerator(seed: 7)
    for length in 0..<200 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(Base64Text.decode(Base64Text.encode(bytes)) == bytes)
    }
  }

  @Test("Line ends inside do not matter")
  func lineEnds() {
    #expect(Base64Text.decode("Zm9v\nYmFy\r\n") == Array("foobar".utf8))
  }

  @Test(
    "What is malformed is nothing",
    arguments: ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "Z*==", "=", "Zg==Zg=="])
  func malformed(text: String) {
    #expect(Base64Text.decode(text) == nil)
  }
}
