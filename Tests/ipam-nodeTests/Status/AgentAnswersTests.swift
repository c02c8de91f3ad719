import CalicoModel
import CoreMetrics
import IPAddressing
import JSON
import Netlink
import Testing

@testable import Routing
@testable import ipam_node

@Suite("What the agent answers")
struct AgentAnswersTests {
  private let answers: AgentAnswers
  private var state: AgentState { answers.state }

  init() {
    let store = MetricStore()
    let board = ConditionBoard(logger: LogLines().logger(), now: { Timestamp(seconds: 0) })
    answers = AgentAnswers(
      state: AgentState(nodeName: "n1", conditions: board), metrics: AgentMetrics(PrometheusFactory(store)),
      store: store, plan: { Self.plan })
  }

  /// A route that a node should have and has not.
  private static var plan: NodePlan? {
    guard let block = CIDR("10.65.1.0/26") else { return nil }
    let desired = DesiredRoute(.blackhole, owner: "n1", claim: block)
    return NodePlan(
      routes: [PlannedRoute(key: RouteKey(block, metric: 0), state: .missing, desired: desired)], decisions: [],
      conditions: [:])
  }

  private func status(isInSync: Bool) -> RoutingStatus {
    var status = RoutingStatus()
    status.isInSync = isInSync
    status.v4.desired = 5
    status.v4.present = 3
    status.v4.held = 1
    status.v4.failed = 1
    status.statistics.resyncs = 2
    return status
  }

  private func metrics() async throws -> Set<String> {
    Set(try #require(await answers.answer("/metrics")).text.split(separator: "\n").map(String.init))
  }

  @Test("it is ready when the kernel follows, and says what is in the way before")
  func readiness() async throws {
    state.conditions.update([Condition.Subject(.noParent, "IPv4"): Condition("no interface has 172.30.1.11")])
    let early = try #require(await answers.answer("/readyz"))
    #expect(!early.isGood)
    #expect(early.text == "not in sync yet\nNoParent IPv4: no interface has 172.30.1.11\n")
    state.status = status(isInSync: true)
    #expect(await answers.answer("/readyz")?.isGood == true)
  }

  @Test("it is alive whatever is wrong with routes")
  func liveness() async {
    #expect(await answers.answer("/livez")?.isGood == true)
  }

  @Test("the status is a document with counts and conditions")
  func document() async throws {
    state.status = status(isInSync: true)
    state.conditions.update([Condition.Subject(.foreign, "10.0.0.0/26"): Condition("BIRD has it")])
    let answer = try #require(await answers.answer("/status"))
    #expect(answer.contentType == "application/json")
    let document = try #require(try JSON(parsing: Array(answer.text.utf8)).objectValue)
    #expect(document["node"]?.stringValue == "n1")
    #expect(document["inSync"]?.boolValue == true)
    #expect(document["routes"]?.objectValue?["v4"]?.objectValue?["held"]?.numberValue == 1)
    let condition = try #require(document["conditions"]?.arrayValue?.first?.objectValue)
    #expect(condition["kind"]?.stringValue == "Foreign")
    #expect(condition["subject"]?.stringValue == "10.0.0.0/26")
    #expect(condition["message"]?.stringValue == "BIRD has it")
    #expect(condition["since"]?.stringValue == "1970-01-01T00:00:00Z")
  }

  @Test("R-6: routes are told with state, node and reason")
  func routes() async throws {
    let answer = try #require(await answers.answer("/routes"))
    let document = try #require(try JSON(parsing: Array(answer.text.utf8)).objectValue)
    let route = try #require(document["routes"]?.arrayValue?.first?.objectValue)
    #expect(route["destination"]?.stringValue == "10.65.1.0/26")
    #expect(route["state"]?.stringValue == "missing")
    #expect(route["node"]?.stringValue == "n1")
  }

  @Test("every metric of the table is measured from the start, and nothing that is not in it")
  func completeness() async throws {
    let names = Set(
      try await metrics().filter { !$0.hasPrefix("#") }.map { String($0.prefix { $0 != "{" && $0 != " " }) })
    for family in AgentMetrics.families {
      let suffix = family.kind == .histogram ? "_bucket" : ""
      #expect(names.contains(family.name + suffix), "\(family.name)")
      #expect(family.name.hasPrefix("ipam_node_"))
    }
    #expect(Set(answers.store.snapshot().keys.map(\.name)) == Set(AgentMetrics.families.map(\.name)))
  }

  @Test("metrics say what the status says, and count on from there")
  func metricValues() async throws {
    state.status = status(isInSync: true)
    #expect(try await metrics().contains("ipam_node_resyncs_total 2"))
    answers.metrics.read(100)
    answers.metrics.passed(.milliseconds(3))
    state.told(.snapshot(Topology()))
    let wanted = [
      "ipam_node_routes_desired{family=\"v4\"} 5", "ipam_node_routes_present{family=\"v4\"} 3",
      "ipam_node_routes_held{family=\"v4\"} 1", "ipam_node_routes_failed{family=\"v4\"} 1",
      "ipam_node_routes_desired{family=\"v6\"} 0", "ipam_node_in_sync 1", "ipam_node_resyncs_total 2",
      "ipam_node_datastore_read_bytes_total 100", "ipam_node_reconcile_duration_seconds_count 1",
      "ipam_node_source_connected 1", "ipam_node_netlink_messages_total{kind=\"route\"} 0",
    ]
    let found = try await metrics()
    for line in wanted { #expect(found.contains(line), "\(line)") }
    state.told(.interrupted("gone"))
    #expect(try await metrics().contains("ipam_node_source_connected 0"))
  }

  @Test("other paths have no answer")
  func others() async {
    for path in ["", "/", "/metrics/", "/statusx"] { #expect(await answers.answer(path) == nil) }
  }
}
