import CalicoModel
import Datastore
import DatastoreSettings
import EtcdDatastore
import TestSupport
import Testing

@Suite(
  "Who may use an etcd cluster, and who is told why not", .serialized,
  .enabled(if: EtcdServer.isPossible, "needs etcd-server"))
struct SecurityTests {
  @Test("certificates are read from files, or given as texts")
  func certificates() async throws {
    let server = try EtcdServer.secure { try $0.sign("node", name: "node") }
    let settings = server.settings(as: "node")
    #expect(try await EtcdDatastore(settings).put("a").isApplied)
    let certificates = Certificates(of: server)
    var inline = settings
    inline.authority = .text(try certificates.text("ca.crt"))
    inline.certificate = .text(try certificates.text("node.crt"))
    inline.key = .text(try certificates.text("node.key"))
    #expect(try await EtcdDatastore(inline).count("a") == 1)
    // Without a scheme the certificates decide.
    inline.endpoints = ["127.0.0.1:\(server.port)"]
    #expect(try await EtcdDatastore(inline).count("a") == 1)
  }

  @Test("a server that another authority vouches for is not trusted")
  func wrongAuthority() async throws {
    let server = try EtcdServer.secure()
    let store = try EtcdDatastore(server.settings(as: "root", authority: "other-ca"))
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.code == .unavailable)
    #expect(
      error.description
        == "cannot connect to etcd at https://127.0.0.1:\(server.port): the server's certificate is not "
        + "signed by an authority in \(server.folder)/other-ca.crt")
    #expect(error.advice.contains("ETCD_CA_CERT_FILE"))
  }

  @Test("a server whose certificate has expired is not trusted")
  func expiredServer() async throws {
    let server = try EtcdServer.secure { try $0.sign("server", name: "etcd", alternative: "IP:127.0.0.1", days: -1) }
    let store = try EtcdDatastore(server.settings(as: "root"))
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.description.hasSuffix(": the server's certificate has expired"))
    #expect(error.advice == "renew the certificate of the etcd member at https://127.0.0.1:\(server.port)")
  }

  @Test("a server with a certificate for another address or name is not trusted")
  func otherName() async throws {
    let server = try EtcdServer.secure { try $0.sign("server", name: "etcd", alternative: "DNS:elsewhere") }
    let store = try EtcdDatastore(server.settings(as: "root"))
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.description.hasSuffix(": the server's certificate is not for 127.0.0.1"))
    var byName = server.settings(as: "root")
    byName.endpoints = ["https://localhost:\(server.port)"]
    let other = try EtcdDatastore(byName)
    let second = try await failure { _ = try await other.count("a") }
    #expect(second.description.hasSuffix(": the server's certificate is not for localhost"))
  }

  @Test("a server is known by its name as well")
  func byName() async throws {
    let server = try EtcdServer.secure {
      try $0.sign("server", name: "etcd", alternative: "DNS:localhost,IP:127.0.0.1")
    }
    var settings = server.settings(as: "root")
    settings.endpoints = ["https://localhost:\(server.port)"]
    #expect(try await EtcdDatastore(settings).put("a").isApplied)
  }

  @Test("who shows no certificate, or an old one, is told that the server wants a good one")
  func refusedClients() async throws {
    let server = try EtcdServer.secure { certificates in
      try certificates.sign("old", name: "node", days: -1)
      try certificates.sign("foreign", name: "node", authority: "other-ca")
    }
    for client in [nil, "foreign"] {
      let store = try EtcdDatastore(server.settings(as: client))
      let error = try await failure { _ = try await store.count("a") }
      #expect(error.description.contains("the server refuses our TLS handshake"), "\(error)")
      #expect(error.advice.contains("ETCD_CERT_FILE"))
    }
    let store = try EtcdDatastore(server.settings(as: "old"))
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.description.hasSuffix("the server refuses \(server.folder)/old.crt, which has expired"))
    #expect(error.advice == "renew the client certificate")
  }

  @Test("a server without TLS, and one with it, are told apart")
  func schemes() async throws {
    let plain = try EtcdServer()
    var settings = plain.settings
    settings.endpoints = ["https://127.0.0.1:\(plain.port)"]
    let store = try EtcdDatastore(settings)
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.description.hasSuffix(": what answers there does not speak TLS"), "\(error)")
    let secure = try EtcdServer.secure()
    settings.endpoints = ["http://127.0.0.1:\(secure.port)"]
    let other = try EtcdDatastore(settings)
    let second = try await failure { _ = try await other.count("a") }
    #expect(second.advice.contains("https://"), "\(second)")
  }

  @Test("the user that a certificate names may do what its roles say")
  func commonNames() async throws {
    let server = try EtcdServer.secure { certificates in
      for name in ["calico", "reader"] { try certificates.sign(name, name: name) }
    }
    try server.control("user", "add", "root", "--no-password")
    try server.control("user", "grant-role", "root", "root")
    for (name, right) in [("calico", "readwrite"), ("reader", "read")] {
      try server.control("role", "add", name)
      try server.control("role", "grant-permission", name, right, "--prefix=true", "/calico/")
      try server.control("user", "add", name, "--no-password")
      try server.control("user", "grant-role", name, name)
    }
    try server.control("auth", "enable")
    #expect(try await EtcdDatastore(server.settings(as: "calico")).put("a").isApplied)
    let reader = try EtcdDatastore(server.settings(as: "reader"))
    #expect(try await reader.count("a") == 1)
    let error = try await failure { _ = try await reader.put("b") }
    #expect(error.code == .forbidden)
    #expect(
      error.description.hasPrefix(
        "user \"reader\" (the certificate's CN) may not write /calico/ipam/v2/handle/b in etcd"))
    #expect(error.advice.contains("etcdctl role grant-permission ROLE readwrite --prefix=true /calico/"))
    #expect(try await reader.count("b") == nil)
  }

  /// A server with the users root and calico, whose passwords are their names backwards.
  private func serverWithUsers() throws -> EtcdServer {
    let server = try EtcdServer()
    try server.control("user", "add", "root:toor")
    try server.control("user", "grant-role", "root", "root")
    try server.control("role", "add", "calico")
    try server.control("role", "grant-permission", "calico", "readwrite", "--prefix=true", "/calico/ipam/")
    try server.control("user", "add", "calico:ocilac")
    try server.control("user", "grant-role", "calico", "calico")
    try server.control("auth", "enable")
    return server
  }

  @Test("a user logs in with a password, and again when the server has forgotten")
  func passwords() async throws {
    let server = try serverWithUsers()
    var settings = server.settings
    (settings.username, settings.password) = ("calico", "ocilac")
    let store = try EtcdDatastore(settings)
    #expect(try await store.put("a").isApplied)
    // The tokens are in the server's memory.
    server.stop()
    try server.start()
    #expect(try await store.put("a", holding: 2).isApplied)
    #expect(try await store.count("a") == 2)
    var iterator = store.watch([.handles], from: nil).makeAsyncIterator()
    guard case .snapshot(.handles, let items, _)? = try await iterator.next() else {
      Issue.record("no snapshot")
      return
    }
    #expect(items.count == 1)
  }

  @Test("who is not known, or asks for too much, is told so")
  func refusedUsers() async throws {
    let server = try serverWithUsers()
    let nobody = try EtcdDatastore(server.settings)
    let first = try await failure { _ = try await nobody.count("a") }
    #expect(first.code == .forbidden)
    #expect(first.description.contains("it wants to know who asks"), "\(first)")
    #expect(first.advice.contains("ETCD_USERNAME"))
    var settings = server.settings
    (settings.username, settings.password) = ("calico", "wrong")
    let wrong = try EtcdDatastore(settings)
    let second = try await failure { _ = try await wrong.count("a") }
    #expect(second.description.contains("does not know user \"calico\" with this password"), "\(second)")
    settings.password = "ocilac"
    let limited = try EtcdDatastore(settings)
    let listing = Listing(.resources(.ipPool))
    let third = try await failure { _ = try await limited.read([.list(listing)], deadline: .after(milliseconds: 5000)) }
    #expect(third.code == .forbidden)
    #expect(
      third.description.hasPrefix(
        "user \"calico\" may not read /calico/resources/v3/projectcalico.org/ippools/ in etcd"), "\(third)")
    var iterator = limited.watch([.resources(.ipPool)], from: nil).makeAsyncIterator()
    await #expect(throws: DatastoreError.self) { _ = try await iterator.next() }
  }

  @Test("user and password mean nothing to a cluster without users")
  func needlessUser() async throws {
    let server = try EtcdServer()
    var settings = server.settings
    (settings.username, settings.password) = ("calico", "ocilac")
    let store = try EtcdDatastore(settings)
    #expect(try await store.put("a").isApplied)
    #expect(try await store.count("a") == 1)
    // One question whether there are users.
    #expect(store.statistics.requests == 3)
  }
}

extension Certificates {
  init(of server: EtcdServer) {
    folder = server.folder
  }
}
