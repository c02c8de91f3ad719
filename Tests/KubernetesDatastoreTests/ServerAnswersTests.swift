import CalicoModel
import Datastore
import IPAddressing
import KubernetesClient
import TestSupport
import Testing

@testable import KubernetesDatastore

@Suite("Lists and groups as servers tell them")
struct ServerAnswersTests {
  private static let deadline = Deadline.after(milliseconds: 600_000)

  private static func store(_ transport: ScriptedTransport) -> KubernetesDatastore {
    var options = KubernetesDatastore.Options()
    options.apiGroup = "crd.projectcalico.org/v1"
    return KubernetesDatastore(transport, options: options)
  }

  private static func keys(_ transport: ScriptedTransport, _ listing: Listing) async throws -> [Key] {
    guard case .list(let list) = try await store(transport).read([.list(listing)], deadline: deadline)[0] else {
      return []
    }
    return list.items.map(\.key)
  }

  @Test("a list is read page by page")
  func pages() async throws {
    let transport = ScriptedTransport { request in
      request.path.contains("continue=next%2Fpage")
        ? .ok(HandleText.list([HandleText.object("a", version: 2)], version: 10))
        : .ok(HandleText.list([HandleText.object("b", version: 1)], version: 10, next: "next/page"))
    }
    #expect(try await Self.keys(transport, Listing(.handles)) == [.handle("a"), .handle("b")])
    #expect(transport.requests.count == 2)
    #expect(transport.requests.allSatisfy { $0.contains("limit=500") })
  }

  @Test("a list whose next page has expired is read again as a whole")
  func expiredPages() async throws {
    let transport = ScriptedTransport { request in
      if request.path.contains("continue=") { return .status(410, reason: "Expired") }
      let all = ["a", "b"].map { HandleText.object($0, version: 1) }
      return request.path.contains("limit=")
        ? .ok(HandleText.list([all[0]], version: 10, next: "old")) : .ok(HandleText.list(all, version: 11))
    }
    #expect(try await Self.keys(transport, Listing(.handles)) == [.handle("a"), .handle("b")])
    #expect(transport.requests.count == 3)
  }

  @Test("the rest of a list that was cut off is not read again")
  func cutOff() async throws {
    let transport = ScriptedTransport { _ in
      .ok(HandleText.list(["a", "b", "c"].map { HandleText.object($0, version: 1) }, version: 10))
    }
    let store = Self.store(transport)
    var after: Key?
    var names: [Key] = []
    repeat {
      let read = Read.list(Listing(.handles, after: after, limit: 2))
      guard case .list(let list) = try await store.read([read], deadline: Self.deadline)[0] else { return }
      names += list.items.map(\.key)
      after = list.hasMore ? names.last : nil
    } while after != nil
    #expect(names == [.handle("a"), .handle("b"), .handle("c")])
    #expect(transport.requests.count == 1)
  }

  private static let unknownKinds = [
    KubernetesResponse(status: 404, body: Array("404 page not found\n".utf8)),
    .status(404, reason: "NotFound", message: "the server could not find the requested resource"),
  ]

  @Test("a cluster without Calico's definitions is told as that, and not as one without pools", arguments: unknownKinds)
  func missingDefinitions(answer: KubernetesResponse) async throws {
    for contents in [Listing.Contents.values, .keys] {
      let transport = ScriptedTransport { _ in answer }
      let read = Read.list(Listing(.resources(.ipPool), contents))
      let error = try #require(
        await #expect(throws: DatastoreError.self) {
          _ = try await Self.store(transport).read([.list(Listing(.handles)), read], deadline: Self.deadline)
        })
      #expect(error.code == .unusable)
      #expect(error.description.contains("ippools.crd.projectcalico.org is not installed"))
      #expect(error.advice.contains("kubectl apply -k integration/kubernetes"))
    }
  }

  @Test("other collections that a cluster does not have are empty", arguments: unknownKinds)
  func missingCollections(answer: KubernetesResponse) async throws {
    let scopes: [Listing.Scope] = [
      .blocks(.v4), .allAffinities(.host), .handles, .resources(.ipReservation), .resources(.clusterInformation),
    ]
    for scope in scopes {
      for contents in [Listing.Contents.values, .keys] {
        #expect(try await Self.keys(ScriptedTransport { _ in answer }, Listing(scope, contents)) == [])
      }
    }
    // Where nodes have ranges of their own nobody needs pools.
    var options = KubernetesDatastore.Options()
    options.usesPodCIDR = true
    let store = KubernetesDatastore(ScriptedTransport { _ in answer }, options: options)
    let results = try await store.read([.list(Listing(.resources(.ipPool)))], deadline: Self.deadline)
    guard case .list(let list) = results[0] else { return }
    #expect(list.items.isEmpty)
  }

  @Test("names of blocks are read from a table, wherever its column is")
  func tables() async throws {
    let transport = ScriptedTransport { request in
      #expect(request.accepts.contains("as=Table"))
      return .ok(
        #"{"kind":"Table","columnDefinitions":[{"name":"Age","format":""},{"name":"N","format":"name"}],"rows":["#
          + #"{"cells":["1d","10-65-0-64-26"],"object":null},{"cells":["1d","10-65-0-0-26"]}]}"#)
    }
    let expected = ["10.65.0.0/26", "10.65.0.64/26"].compactMap { CIDR($0) }.map { Key.block($0) }
    #expect(try await Self.keys(transport, Listing(.blocks(.v4), .keys)) == expected)
    #expect(transport.requests == ["GET /apis/crd.projectcalico.org/v1/ipamblocks?includeObject=None"])
  }

  @Test("a server without tables is asked for objects, or has sent them already", arguments: [false, true])
  func withoutTables(isRefused: Bool) async throws {
    let transport = ScriptedTransport { request in
      if isRefused, request.accepts.contains("as=Table") { return .status(406, reason: "NotAcceptable") }
      return .ok(
        #"{"kind":"IPAMBlockList","metadata":{},"items":[{"metadata":{"name":"x"},"spec":{"cidr":"10.65.0.0/26"}},"#
          + #"{"metadata":{"name":"y"},"spec":{"cidr":"10.65.0.64/26","deleted":true}}]}"#)
    }
    let expected = [Key.block(try #require(CIDR("10.65.0.0/26")))]
    #expect(try await Self.keys(transport, Listing(.blocks(.v4), .keys)) == expected)
    // What was half deleted is deleted.
    #expect(transport.requests.count == (isRefused ? 3 : 2))
    #expect(transport.requests.last == "DELETE /apis/crd.projectcalico.org/v1/ipamblocks/10-65-0-64-26")
  }

  @Test(
    "the second group is used where it is alone",
    arguments: [
      ([], APIGroup.v1), (["crd.projectcalico.org"], .v1), (["projectcalico.org"], .v3),
      (["projectcalico.org", "crd.projectcalico.org"], .v1), (["apps", "projectcalico.org"], .v3),
    ])
  func groups(names: [String], group: APIGroup) {
    let list = names.map { #"{"name":"\#($0)"}"# }.joined(separator: ",")
    #expect(KubernetesDatastore.group(in: Array(#"{"kind":"APIGroupList","groups":[\#(list)]}"#.utf8)) == group)
  }

  @Test("a setting decides without a question, in any case of letters")
  func settings() {
    #expect(APIGroup(setting: "projectcalico.org/v3") == .v3)
    #expect(APIGroup(setting: "ProjectCalico.org/V3") == .v3)
    #expect(APIGroup(setting: "crd.projectcalico.org/v1") == .v1)
    #expect(APIGroup(setting: "anything") == .v1)
    #expect(KubernetesDatastore.group(in: Array("no list".utf8)) == nil)
  }

  @Test("the group is asked for once, and by the next process not at all; another server's answer does not count")
  func cache() async throws {
    let path = "/tmp/swift-ipam-discovery-\(UInt64.random(in: 0...UInt64.max))"
    let transport = ScriptedTransport { request in
      request.path == "/apis" ? .ok(#"{"groups":[{"name":"projectcalico.org"}]}"#) : .status(404, reason: "NotFound")
    }
    func read(_ server: String) async throws -> Int {
      var options = KubernetesDatastore.Options()
      options.discoveryCache = path
      options.server = server
      let before = transport.requests.count
      let store = KubernetesDatastore(transport, options: options)
      for _ in 0..<2 { _ = try await store.read([.entry(.handle("a"))], deadline: Self.deadline) }
      #expect(transport.requests.last == "GET /apis/projectcalico.org/v3/ipamhandles/a")
      return transport.requests.count - before
    }
    let first = try await read("https://one")
    let second = try await read("https://one")
    let other = try await read("https://two")
    // The group, the handle in the usual group meanwhile, and the handle twice.
    #expect(first == 4)
    #expect(second == 2)
    #expect(other == 4)
    DiscoveryCache(path: path, server: "").remove()
  }

  @Test("where addresses come from the nodes' ranges there are no blocks, and nothing is asked")
  func podRanges() async throws {
    let transport = ScriptedTransport { _ in .status(404) }
    var options = KubernetesDatastore.Options()
    options.usesPodCIDR = true
    let store = KubernetesDatastore(transport, options: options)
    let block = Key.block(try #require(CIDR("10.65.0.0/26")))
    for read in [Read.entry(block), .entry(.configuration), .list(Listing(.handles)), .entry(.host("n"))] {
      let error = await #expect(throws: DatastoreError.self) {
        _ = try await store.read([read], deadline: Self.deadline)
      }
      #expect(error?.code == .unsupported)
    }
    let plan = Plan([Change(.handle("a"), base: .any, final: .delete)])
    let error = await #expect(throws: DatastoreError.self) { _ = try await store.commit(plan, deadline: Self.deadline) }
    #expect(error?.code == .unsupported)
    #expect(transport.requests.isEmpty)
  }

  @Test("a handle that the server could not name is refused before anything is written, and is read as absent")
  func names() async throws {
    let transport = ScriptedTransport { _ in .status(404) }
    let store = Self.store(transport)
    for name in ["a_b", "a/b", "..", "", "ä"] {
      guard case .entry(nil) = try await store.read([.entry(.handle(name))], deadline: Self.deadline)[0] else {
        Issue.record("\(name) was found")
        continue
      }
      let plan = Plan([Change(.handle(name), base: .absent, final: .value(.handle(IPAMHandle())))])
      let error = await #expect(throws: DatastoreError.self) {
        _ = try await store.commit(plan, deadline: Self.deadline)
      }
      #expect(error?.code == .unusable)
    }
    #expect(transport.requests.isEmpty)
  }
}
