import CalicoModel
import Datastore
import KubernetesClient
import Testing

@testable import KubernetesDatastore

@Suite("Scans of a Kubernetes API")
struct ScanTests {
  private static let whole = HandleText.object("whole", version: 1)
  private static let deleted = HandleText.object("deleted", version: 2, isDeleted: true)
  private static let odd = #"{"metadata":{"name":"odd","uid":"u","resourceVersion":"3"},"spec":7}"#

  /// What a scan of the handles tells, in short.
  private static func scan(_ transport: ScriptedTransport) async throws -> [String] {
    var options = KubernetesDatastore.Options()
    options.apiGroup = "crd.projectcalico.org/v1"
    var told: [String] = []
    try await KubernetesDatastore(transport, options: options).scan(.handles, millisecondsPerPage: 60_000) { entry in
      switch entry {
      case .entry(let key, let stored): told.append("\(key) \(stored.revision.token)")
      case .halfDeleted(let key, _): told.append("deleted \(key)")
      case .unreadable(let name, let reason): told.append("unreadable \(name): \(reason)")
      }
    }
    return told
  }

  private static let everything = [
    "IPAMHandleKey(id=whole) 1", "deleted IPAMHandleKey(id=deleted)",
    "unreadable odd: spec: invalid character '7' as a value of another type",
  ]

  private static func version(_ minor: String) -> KubernetesResponse {
    .ok(#"{"major":"1","minor":"\#(minor)","gitVersion":"v1.\#(minor).0"}"#)
  }

  /// A server of a version, whose pages hold what its whole list does.
  private static func server(
    _ version: KubernetesResponse, streams: [Result<ScriptedTransport.Lines, ScriptedTransport.RefusedStream>]
  ) -> ScriptedTransport {
    ScriptedTransport(streams: streams) { request in
      if request.path == "/version" { return version }
      return request.path.contains("continue=")
        ? .ok(HandleText.list([deleted, odd], version: 9)) : .ok(HandleText.list([whole], version: 9, next: "more"))
    }
  }

  /// A list of everything, in pieces of seven bytes.
  private static func pieces(_ text: String) -> [[String]] {
    let bytes = Array(text.utf8)
    return stride(from: 0, to: bytes.count, by: 7).map {
      [String(decoding: bytes[$0..<min($0 + 7, bytes.count)], as: UTF8.self)]
    }
  }

  private static let list = HandleText.list([whole, deleted, odd], version: 9)

  @Test("a server that lists from memory is asked for everything at once", arguments: ["34", "36+", "120"])
  func atOnce(minor: String) async throws {
    let transport = Self.server(Self.version(minor), streams: [.success(.init(Self.pieces(Self.list)))])
    let told = try await Self.scan(transport)
    #expect(told == Self.everything)
    #expect(transport.requests == ["GET /version", "GET /apis/crd.projectcalico.org/v1/ipamhandles"])
  }

  @Test(
    "any other is asked for page after page",
    arguments: [
      version("33"), version("9"), version("x"), .ok("{}"), .ok("no JSON"), .status(403, reason: "Forbidden"),
    ])
  func pages(version: KubernetesResponse) async throws {
    let transport = Self.server(version, streams: [.success(.init(Self.pieces(Self.list)))])
    let told = try await Self.scan(transport)
    #expect(told == Self.everything)
    #expect(transport.requests.count == 3)
    #expect(transport.requests.dropFirst().allSatisfy { $0.contains("limit=500") })
  }

  @Test("pages are asked for where the whole list is refused, or cannot be begun")
  func refused() async throws {
    let busy = ScriptedTransport.RefusedStream(response: .status(429, reason: "TooManyRequests", retryAfter: 1))
    for streams in [[.failure(busy)], []] as [[Result<ScriptedTransport.Lines, ScriptedTransport.RefusedStream>]] {
      let told = try await Self.scan(Self.server(Self.version("36"), streams: streams))
      #expect(told == Self.everything)
    }
  }

  @Test("an object without an end is an error before it fills the memory")
  func endlessObject() async throws {
    let piece = String(repeating: " ", count: 1 << 20)
    let lines = ScriptedTransport.Lines([[#"{"items":[{"#]] + Array(repeating: [piece], count: 20), .waits)
    let transport = Self.server(Self.version("36"), streams: [.success(lines)])
    let error = await #expect(throws: DatastoreError.self) { _ = try await Self.scan(transport) }
    #expect(error?.description.contains("16777216 bytes") == true)
  }

  @Test("a list that breaks off is an error, and not the end")
  func brokenOff() async throws {
    let cut = String(Self.list.dropLast(40))
    let more = HandleText.list([Self.whole], version: 9, next: "more")
    for lines in [
      ScriptedTransport.Lines(Self.pieces(cut)), .init(Self.pieces(cut), .isLost), .init([]), .init(Self.pieces(more)),
    ] {
      let transport = Self.server(Self.version("36"), streams: [.success(lines)])
      let error = await #expect(throws: DatastoreError.self) { _ = try await Self.scan(transport) }
      #expect(error?.code == .unavailable)
    }
  }
}
