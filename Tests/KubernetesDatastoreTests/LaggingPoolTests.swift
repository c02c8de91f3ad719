import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import Synchronization
import Testing

@testable import KubernetesDatastore

@Suite("Pools that were listed as they may have been")
struct LaggingPoolTests {
  private static let deadline = Deadline.after(milliseconds: 600_000)

  /// A server whose lists of pools stay as they were at first.
  private final class Server: Sendable {
    /// Pools by name with their version.
    let versions = Mutex(["p": 1, "q": 1])
    let mayRead: Bool

    init(mayRead: Bool = true) { self.mayRead = mayRead }

    func answer(_ request: KubernetesRequest) -> KubernetesResponse {
      let name = String(request.path.split(separator: "?")[0].split(separator: "/").last ?? "")
      if request.method != .get { return .ok(#"{"metadata":{"name":"x","uid":"u","resourceVersion":"3"}}"#) }
      if name == "ippools" {
        let pools = [pool("p", "10.65.0.0/16", 1), pool("q", "10.66.0.0/16", 1)].joined(separator: ",")
        return .ok(#"{"metadata":{"resourceVersion":"9"},"items":[\#(pools)]}"#)
      }
      guard mayRead else { return .status(403, reason: "Forbidden") }
      guard let version = versions.withLock({ $0[name] }) else { return .status(404, reason: "NotFound") }
      return .ok(pool(name, name == "p" ? "10.65.0.0/16" : "10.66.0.0/16", version))
    }
  }

  /// A plan that makes a handle, and then a block.
  private static func plan() throws -> Plan {
    let cidr = try #require(CIDR("10.65.0.0/26"))
    let block = IPAMBlock(cidr: cidr, owner: BlockOwner(.host, "n"), time: Timestamp(seconds: 1))
    return Plan([
      Change(.handle("h"), base: .absent, final: .value(.handle(IPAMHandle([cidr: 1])))),
      Change(.block(cidr), base: .absent, final: .value(.block(block))),
    ])
  }

  private static func store(_ transport: ScriptedTransport) -> KubernetesDatastore {
    var options = KubernetesDatastore.Options()
    options.apiGroup = "crd.projectcalico.org/v1"
    return KubernetesDatastore(transport, options: options)
  }

  /// Lists the pools and commits the plan.
  private static func commit(
    _ server: Server, mayLag: Bool = true
  ) async throws -> (outcome: Outcome, requests: [String]) {
    let transport = ScriptedTransport { server.answer($0) }
    let store = store(transport)
    var listing = Listing(.resources(.ipPool))
    listing.mayLag = mayLag
    _ = try await store.read([.list(listing)], deadline: deadline)
    let outcome = try await store.commit(plan(), deadline: deadline)
    return (outcome, transport.requests)
  }

  @Test("are asked for as the server's copy has them, and the latest as ever")
  func version() async throws {
    let lagging = try await Self.commit(Server())
    #expect(lagging.requests[0].contains("resourceVersion=0"))
    let latest = try await Self.commit(Server(), mayLag: false)
    #expect(!latest.requests[0].contains("resourceVersion"))
    #expect(!latest.requests.contains { $0.hasSuffix("/ippools/p") })
  }

  @Test("are looked at once more before a block of theirs is written, and no others")
  func unchanged() async throws {
    let server = Server()
    server.versions.withLock { $0["q"] = 2 }
    let (outcome, requests) = try await Self.commit(server)
    guard case .applied = outcome else { throw UnexpectedOutcome(outcome: outcome) }
    #expect(requests.count { $0.contains("/ippools/") } == 1)
    #expect(requests.contains { $0.hasSuffix("/ippools/p") })
  }

  @Test("are in conflict with the plan when they have changed, are gone, or cannot be read", arguments: 0..<3)
  func changed(_ fault: Int) async throws {
    let server = Server(mayRead: fault != 2)
    server.versions.withLock { $0["p"] = fault == 0 ? 2 : nil }
    let (outcome, requests) = try await Self.commit(server)
    guard case .conflict(let key, let applied) = outcome else { throw UnexpectedOutcome(outcome: outcome) }
    #expect(key == .resource(.ipPool, "p"))
    #expect(applied.map(\.key) == [.handle("h")])
    #expect(!requests.contains { $0.contains("/ipamblocks") })
  }

  @Test("are looked at again by a plan that is made again from them")
  func repetition() async throws {
    let server = Server()
    let transport = ScriptedTransport { server.answer($0) }
    let store = Self.store(transport)
    var listing = Listing(.resources(.ipPool))
    listing.mayLag = true
    _ = try await store.read([.list(listing)], deadline: Self.deadline)
    _ = try await store.commit(Self.plan(), deadline: Self.deadline)
    server.versions.withLock { $0["p"] = 2 }
    guard case .conflict(.resource(.ipPool, "p"), _) = try await store.commit(Self.plan(), deadline: Self.deadline)
    else { throw CancellationError() }
    // The latest pools are what a plan may rely on.
    listing.mayLag = false
    _ = try await store.read([.list(listing)], deadline: Self.deadline)
    guard case .applied = try await store.commit(Self.plan(), deadline: Self.deadline) else {
      throw CancellationError()
    }
  }

  private struct UnexpectedOutcome: Error {
    var outcome: Outcome
  }
}

private func pool(_ name: String, _ cidr: String, _ version: Int) -> String {
  #"{"metadata":{"name":"\#(name)","resourceVersion":"\#(version)"},"spec":{"cidr":"\#(cidr)"}}"#
}
