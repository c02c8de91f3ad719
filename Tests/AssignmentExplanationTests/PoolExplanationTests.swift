import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

@testable import AssignmentExplanation

@Suite("Why a pool is passed over")
struct PoolExplanationTests {
  private let world = World()

  init() {
    world.node("n1", #""zone":"a""#)
    world.pool("good", "10.9.0.0/24", blockSize: 26)
  }

  private func expect(_ obstacle: PoolObstacle, remedy: String?, at location: SourceLocation = #_sourceLocation)
    async throws
  {
    let beside = try await world.explain(at: location)
    #expect(beside.isAssigned, sourceLocation: location)
    #expect(beside.obstacle("good") == nil, sourceLocation: location)
    #expect(beside.obstacle("p") == obstacle, sourceLocation: location)
    #expect(beside.remedies.isEmpty, sourceLocation: location)
    world.put(nil, .resource(.ipPool, "good"))
    let alone = try await world.explain(at: location)
    #expect(!alone.isAssigned, sourceLocation: location)
    #expect(alone.obstacle("p") == obstacle, sourceLocation: location)
    let texts = alone.remedies.map { "\($0.text): \($0.command ?? "")" }
    if let remedy {
      #expect(texts.contains { $0.contains(remedy) }, "\(texts)", sourceLocation: location)
    } else {
      #expect(texts.count == 1, "\(texts)", sourceLocation: location)
    }
    #expect(texts.last?.contains("create an IPv4 pool") == true, sourceLocation: location)
  }

  @Test("disabled")
  func disabled() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","disabled":true"#)
    try await expect(.unusable(.disabled), remedy: #"ipamctl patch ippool p -p '{"spec":{"disabled":false}}'"#)
  }

  @Test("being deleted")
  func deleting() async throws {
    world.put(
      #"{"metadata":{"name":"p","deletionTimestamp":"2026-08-22T13:33:00Z"},"spec":{"cidr":"10.8.0.0/24"}}"#,
      .resource(.ipPool, "p"))
    try await expect(.unusable(.beingDeleted), remedy: nil)
  }

  @Test("not allocatable")
  func notAllocatable() async throws {
    world.pool(
      "p", "10.8.0.0/24", blockSize: 26, status: #","status":{"conditions":[{"type":"Allocatable","status":"False"}]}"#)
    try await expect(.unusable(.notAllocatable), remedy: "ipamctl get ippool p -o yaml")
  }

  @Test("cut into blocks that do not fit")
  func blockSize() async throws {
    world.pool("p", "10.8.0.0/28", blockSize: 26)
    try await expect(.unusable(.blockSize), remedy: "make pool p anew")
  }

  @Test("used only where it is asked for")
  func manual() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","assignmentMode":"Manual""#)
    try await expect(.manual, remedy: #""assignmentMode":"Automatic""#)
  }

  @Test("for other nodes")
  func nodeSelector() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","nodeSelector":"zone == 'b'""#)
    try await expect(
      .nodeSelector("zone == 'b'", labels: ["zone": "a"]), remedy: "label node n1 so that zone == 'b' holds")
    #expect(
      try await world.explain().text.contains("passed over: its nodeSelector is zone == 'b', and node n1 has zone=a"))
  }

  @Test("for other namespaces")
  func namespaceSelector() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","namespaceSelector":"team == 'x'""#)
    try await expect(.namespaceSelector("team == 'x'", labels: [:]), remedy: "label namespace default so that")
    let labelled = try await world.explain { $0.namespaceLabels = ["team": "x"] }
    #expect(labelled.isAssigned)
    #expect(labelled.addresses.first?.pool == "p")
  }

  @Test("for other uses")
  func use() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","allowedUses":["Tunnel"]"#)
    try await expect(.use(.workload, allowed: [.tunnel]), remedy: #""allowedUses":["Tunnel","Workload"]"#)
  }

  @Test("of the other IP version, which is told only where there is no pool of the right one")
  func family() async throws {
    world.pool("p", "fd00::/64", blockSize: 122)
    #expect(try await !world.explain().text.contains("fd00::/64"))
    try await expect(.otherFamily, remedy: nil)
    #expect(try await world.explain().text.contains("passed over: it is of the other IP version"))
  }

  @Test("not among those that are asked for")
  func notRequested() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26)
    let explanation = try await world.explain { $0.pools = ["good"] }
    #expect(explanation.addresses.first?.pool == "good")
    #expect(explanation.obstacle("p") == .notRequested)
    #expect(explanation.text.contains("IPv4, from good (this command)"))
  }

  @Test("asked for, and not there or disabled")
  func requestedPoolMissing() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","disabled":true"#)
    let missing = try await world.explain { $0.pools = ["10.7.0.0/16"] }
    #expect(missing.answer == "the given pool (10.7.0.0/16) does not exist, or is not enabled")
    #expect(missing.decisions.contains(.requestedPoolMissing("10.7.0.0/16")))
    #expect(missing.remedies.first?.text == "create pool 10.7.0.0/16, or do not ask for it")
    #expect(missing.remedies.dropFirst().first?.text == "ask for other pools (good), or for none by name")
    let disabled = try await world.explain { $0.pools = ["p"] }
    #expect(disabled.obstacle("p") == .unusable(.disabled))
    #expect(disabled.commands.contains(#"ipamctl patch ippool p -p '{"spec":{"disabled":false}}'"#))
    let unknown = try await world.explain { $0.pools = ["nowhere"] }
    #expect(unknown.answer == #"error parsing pool "nowhere": invalid CIDR address: nowhere"#)
    #expect(unknown.remedies.first?.text == "IPv4 pools: good, p")
  }

  @Test("a selector that cannot be read is told with its pool")
  func malformedSelector() async throws {
    world.pool("p", "10.8.0.0/24", blockSize: 26, #","nodeSelector":"zone ==""#)
    let explanation = try await world.explain()
    #expect(!explanation.isAssigned)
    #expect(explanation.remedies.first?.text == "correct nodeSelector of IPPool p: zone ==")
  }

  @Test("an IPv6 pool that is asked for makes it a question about IPv6")
  func sixth() async throws {
    world.pool("six", "fd00::/64", blockSize: 122)
    let explanation = try await world.explain { $0.pools = ["six"] }
    #expect(explanation.addresses.map(\.pool) == ["six"])
    let both = try await world.explain { $0.pools = ["good", "fd00::/64"] }
    #expect(both.addresses.map(\.pool) == ["good", "six"])
  }

  @Test("no pool at all, and no such node")
  func nothing() async throws {
    world.put(nil, .resource(.ipPool, "good"))
    let none = try await world.explain()
    #expect(none.answer == "cannot find a qualified ippool")
    #expect(none.remedies.map(\.text) == ["create an IPv4 pool that node n1 and namespace default may use"])
    let stranger = try await world.explain("n9")
    #expect(stranger.answer == "resource does not exist: Node(n9) with error: <nil>")
    #expect(stranger.remedies.last?.text == "or name one of the nodes that there are: n1")
  }
}
