import IPAddressing
import JSON
import Netlink
import RouteReports
import Testing

@testable import Routing

@Suite("The plan")
struct RoutePlanTests {
  private func plan() throws -> RoutePlan {
    let block = try #require(CIDR("10.65.2.0/26"))
    let own = try #require(CIDR("10.65.1.0/26"))
    let old = try #require(CIDR("10.65.9.0/26"))
    let gateway = try #require(IPAddress("172.30.1.12"))
    func key(_ cidr: CIDR) -> RouteKey { RouteKey(cidr, metric: 0) }
    let remote = DesiredRoute(.hop(.parent(.v4), gateway: gateway, isOnLink: true), owner: "n2", claim: block)
    let stranger = Route(key(block), kind: .unicast, origin: .bird, hop: RouteHop(gateway: gateway))
    let stale = Route(key(old), kind: .blackhole, origin: .agent)
    var held = PlannedRoute(key: key(block), state: .held, desired: remote)
    held.actual = stranger
    held.interface = "eth0"
    held.holder = "BIRD"
    var left = PlannedRoute(key: key(old), state: .stale)
    left.actual = stale
    let missing = PlannedRoute(
      key: key(own), state: .missing, desired: DesiredRoute(.blackhole, owner: "n1", claim: own))
    let plan = NodePlan(
      routes: [missing, held, left], decisions: [],
      conditions: [Condition.Subject(.foreign, "10.65.2.0/26"): Condition("BIRD has it")])
    return RoutePlan(plan, node: "n1", faults: ["Malformed x: y"])
  }

  @Test("is a table with the reason of each route, and what it comes to")
  func table() throws {
    #expect(
      try plan().table == """
        STATE    DESTINATION   NEXT HOP     DEVICE  NODE  BLOCK         WHY
        missing  10.65.1.0/26  blackhole    -       n1    10.65.1.0/26  -
        held     10.65.2.0/26  172.30.1.12  eth0    n2    10.65.2.0/26  BIRD has the destination
        stale    10.65.9.0/26  blackhole    -       -     -             nothing says that it should be there

        1 missing, 1 stale, 1 held
        """)
  }

  @Test("is a document with everything, and counts of every state")
  func document() throws {
    let document = try #require(try JSON(parsing: Array(plan().json.utf8)).objectValue)
    let routes = try #require(document["routes"]?.arrayValue).compactMap(\.objectValue)
    #expect(routes.map { $0["state"]?.stringValue } == ["missing", "held", "stale"])
    #expect(routes[1]["actual"]?.objectValue?["protocol"]?.numberValue == 12)
    #expect(routes[1]["node"]?.stringValue == "n2")
    #expect(routes[1]["nextHop"]?.stringValue == "172.30.1.12")
    let counts = try #require(document["counts"]?.objectValue)
    #expect(counts.members.map(\.key) == ["present", "missing", "different", "stale", "held"])
    #expect(document["conditions"]?.arrayValue?.count == 1)
  }

  @Test("tells what is wrong, a line each")
  func problems() throws {
    #expect(try plan().problems == ["Malformed x: y", "Foreign 10.65.2.0/26: BIRD has it"])
  }

  @Test("of a node without routes says so")
  func empty() {
    let plan = RoutePlan(NodePlan(routes: [], decisions: [], conditions: [:]), node: "n1", faults: [])
    #expect(plan.table == "node n1 should have no routes")
  }
}
