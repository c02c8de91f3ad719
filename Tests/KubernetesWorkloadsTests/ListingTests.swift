import CalicoBackend
import Datastore
import IPAddressing
import KubernetesClient
import KubernetesWorkloads
import Synchronization
import Testing

/// An API server with pods, which answers a list of all of them piece by piece if it is new enough.
private final class PodServer: KubernetesTransport {
  private let minor: Int
  private let pieces: [[UInt8]]
  private let state = Mutex<[String]>([])

  static func pod(_ name: String, _ address: String) -> String {
    #"{"metadata":{"name":"\#(name)","namespace":"web"},"spec":{"nodeName":"n"},"status":{"podIP":"\#(address)"}}"#
  }

  static func list(_ pods: [String], next: String = "") -> String {
    #"{"kind":"PodList","metadata":{"continue":"\#(next)"},"items":[\#(pods.joined(separator: ","))]}"#
  }

  init(minor: Int, pieces: [String] = []) {
    self.minor = minor
    self.pieces = pieces.map { Array($0.utf8) }
  }

  /// The paths that were asked for.
  var requests: [String] { state.withLock { $0 } }

  func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    state.withLock { $0.append(request.path) }
    let text =
      if request.path == "/version" {
        #"{"major":"1","minor":"\#(minor)"}"#
      } else if request.path.contains("continue=") {
        Self.list([Self.pod("b", "10.65.0.3")])
      } else {
        Self.list([Self.pod("a", "10.65.0.2")], next: "more")
      }
    return KubernetesResponse(status: 200, body: Array(text.utf8))
  }

  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    state.withLock { $0.append(request.path) }
    let rest = Mutex(pieces)
    return .accepted { () async throws(KubernetesTransportError) -> [[UInt8]]? in
      rest.withLock { $0.isEmpty ? nil : [$0.removeFirst()] }
    }
  }
}

@Suite("Lists of pods")
struct ListingTests {
  private func pods(_ server: PodServer) async throws(CalicoFailure) -> [PodUse] {
    var found: [PodUse] = []
    try await KubernetesWorkloads(server).forEachPod(millisecondsPerPage: 60_000) { found.append($0) }
    return found
  }

  private let both = [("a", "10.65.0.2"), ("b", "10.65.0.3")].map { name, address in
    PodUse(namespace: "web", name: name, node: "n", addresses: [IPAddress(address)].compactMap(\.self))
  }

  @Test("a server that lists from memory is asked once, and its pods are read while they come")
  func atOnce() async throws {
    let list = PodServer.list([PodServer.pod("a", "10.65.0.2"), PodServer.pod("b", "10.65.0.3")])
    let server = PodServer(minor: 36, pieces: list.map(String.init))
    #expect(try await pods(server) == both)
    #expect(server.requests == ["/version", "/api/v1/pods"])
  }

  @Test("an older one is asked for page after page")
  func pages() async throws {
    let server = PodServer(minor: 31)
    #expect(try await pods(server) == both)
    #expect(server.requests == ["/version", "/api/v1/pods?limit=500", "/api/v1/pods?limit=500&continue=more"])
  }

  @Test(
    "what is cut off, or is no pod, is an error",
    arguments: [[#"{"items":[{"metadata":{"#], [#"{"items":[{"metadata":7}]}"#]])
  func broken(pieces: [String]) async throws {
    await #expect(throws: CalicoFailure.self) { try await pods(PodServer(minor: 36, pieces: pieces)) }
  }
}
