import CalicoModel
import Datastore
import FileSystem
import KubernetesClient
import Testing

@testable import KubernetesDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Where the server's group is kept between processes")
struct DiscoveryCacheTests {
  private let folder = "/tmp/swift-ipam-discovery-\(UInt64.random(in: 0...UInt64.max))"
  private let transport = ScriptedTransport { request in
    request.path == "/apis" ? .ok(#"{"groups":[{"name":"projectcalico.org"}]}"#) : .status(404, reason: "NotFound")
  }

  /// What is asked where the group is known: the handle.
  private static let known = ["GET /apis/projectcalico.org/v3/ipamhandles/a"]
  /// What is asked where it is not: the group, and meanwhile the handle in the usual group, which it is not in.
  private static let unknown = ["GET /apis", "GET /apis/crd.projectcalico.org/v1/ipamhandles/a"] + known

  /// What one process asks for a handle, with the cache in that file; what is asked at the same time, in the order of the
  /// texts.
  private func questions(_ path: String) async throws -> [String] {
    var options = KubernetesDatastore.Options()
    options.discoveryCache = path
    options.server = "https://one"
    let before = transport.requests.count
    let store = KubernetesDatastore(transport, options: options)
    _ = try await store.read([.entry(.handle("a"))], deadline: .after(milliseconds: 60_000))
    return transport.requests.dropFirst(before).sorted()
  }

  private func remove(_ path: String) {
    unlink(path)
    rmdir(folder + "/calico-ipam")
    rmdir(folder)
  }

  @Test("The folders round the file are made, and the next process asks nothing but what it wants to know")
  func missingFolders() async throws {
    let path = folder + "/calico-ipam/api-group"
    defer { remove(path) }
    #expect(try await questions(path) == Self.unknown)
    #expect(try await questions(path) == Self.known)
    let status = try #require(try File.status(of: path))
    #expect(status.isRegularFile)
    #expect(status.st_mode & 0o7777 == 0o644)
  }

  @Test(
    "A file that is damaged, empty, old or of tomorrow is as good as none, and is replaced",
    arguments: [
      "", "{", "[]", #"{"server":"https://one","group":"projectcalico.org/v3"}"#,
      #"{"server":"https://one","group":"projectcalico.org/v9","time":4102444800}"#,
      #"{"server":"https://one","group":"crd.projectcalico.org/v1","time":1}"#,
      #"{"server":"https://one","group":"crd.projectcalico.org/v1","time":4102444800}"#,
    ])
  func damaged(text: String) async throws {
    let path = folder + "/calico-ipam/api-group"
    defer { remove(path) }
    _ = try await questions(path)
    try write(text, to: path)
    #expect(try await questions(path) == Self.unknown)
    #expect(try await questions(path) == Self.known)
  }

  @Test("What is said of the usual group, when it was only assumed, does not make anybody forget the right one")
  func assumption() async throws {
    let path = folder + "/calico-ipam/api-group"
    defer { remove(path) }
    // There is no such path on the server at all, as when the definitions have been replaced.
    let transport = ScriptedTransport { request in
      if request.path == "/apis" { return .ok(#"{"groups":[{"name":"projectcalico.org"}]}"#) }
      return request.path.contains("/v1/") ? KubernetesResponse(status: 404) : .status(404, reason: "NotFound")
    }
    var options = KubernetesDatastore.Options()
    options.discoveryCache = path
    for count in [3, 4] {
      let store = KubernetesDatastore(transport, options: options)
      _ = try await store.read([.entry(.handle("a"))], deadline: .after(milliseconds: 60_000))
      #expect(transport.requests.count == count)
    }
  }

  @Test("Where the usual group is the right one, what was read meanwhile counts")
  func usualGroup() async throws {
    let transport = ScriptedTransport { request in
      request.path == "/apis"
        ? .ok(#"{"groups":[{"name":"crd.projectcalico.org"}]}"#) : .ok(HandleText.object("a", version: 7))
    }
    let results = try await KubernetesDatastore(transport).read(
      [.entry(.handle("a"))], deadline: .after(milliseconds: 60_000))
    guard case .entry(let stored?)? = results.first else {
      Issue.record("\(results)")
      return
    }
    #expect(stored.revision.token == "7")
    #expect(transport.requests.sorted() == Self.unknown.dropLast())
  }

  @Test("What a killed process has left half written stops nobody")
  func leftOver() async throws {
    let path = folder + "/calico-ipam/api-group"
    defer { remove(path) }
    _ = try await questions(path)
    unlink(path)
    try write("{", to: "\(path).\(getpid())")
    #expect(try await questions(path) == Self.unknown)
    #expect(try await questions(path) == Self.known)
    #expect(try File.status(of: "\(path).\(getpid())") == nil)
  }

  @Test("Where nothing can be written the group is asked for again each time")
  func unwritable() async throws {
    for _ in 0..<2 { #expect(try await questions("/proc/nowhere/api-group") == Self.unknown) }
  }

  private func write(_ text: String, to path: String) throws {
    try File.writeAll(Array(text.utf8), to: try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600))
  }
}
