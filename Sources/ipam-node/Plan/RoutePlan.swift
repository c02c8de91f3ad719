import IPAddressing
import JSON
import Netlink
import Routing
import Terminal

/// The routes that a node should have against those that it has, as they are printed.
struct RoutePlan {
  let node: String
  private let entries: [Entry]
  private let counts: [PlannedRoute.State: Int]
  private let conditions: [(subject: Condition.Subject, message: String)]
  /// What is wrong, a line each.
  let problems: [String]

  private struct Entry {
    let route: PlannedRoute
    let reason: String
  }

  init(
    node: String, routes: [PlannedRoute], decisions: [RouteDecision],
    conditions: [Condition.Subject: Condition], faults: [String]
  ) {
    self.node = node
    let reasons = Dictionary(decisions.map { ($0.destination, $0.explanation) }) { first, _ in first }
    entries = routes.map { Entry(route: $0, reason: Self.reason($0, reasons)) }
    counts = Dictionary(routes.map { ($0.state, 1) }, uniquingKeysWith: +)
    self.conditions = conditions.map { ($0.key, $0.value.message) }.sorted {
      ($0.subject.kind.rawValue, $0.subject.name) < ($1.subject.kind.rawValue, $1.subject.name)
    }
    problems = faults + self.conditions.map { "\($0.subject.kind.rawValue) \($0.subject.name): \($0.message)" }
  }

  private static func reason(_ route: PlannedRoute, _ reasons: [CIDR: String]) -> String {
    switch route.state {
    case .stale: return "nothing says that it should be there"
    case .held: return "\(route.holder ?? "somebody else") has the destination"
    case .present, .missing, .different: break
    }
    if route.desired?.path == .unreachable { return "what no block of the pool has is refused" }
    return reasons[route.key.destination] ?? "-"
  }

  // MARK: Output

  /// A table, and what it comes to.
  var table: String {
    var table = TextTable(["STATE", "DESTINATION", "NEXT HOP", "DEVICE", "NODE", "BLOCK", "WHY"])
    for entry in entries {
      let route = entry.route
      let owner = route.desired?.owner ?? ""
      table.add([
        route.state.rawValue, "\(route.key.destination)", Self.nextHop(route), route.interface ?? "-",
        owner.isEmpty ? "-" : PrintableText.of(owner), route.desired.map { "\($0.claim)" } ?? "-",
        PrintableText.of(entry.reason),
      ])
    }
    let summary = PlannedRoute.State.allCases.compactMap { state in
      counts[state].map { "\($0) \(state.rawValue)" }
    }
    let total = summary.isEmpty ? "node \(node) should have no routes" : summary.joined(separator: ", ")
    return (entries.isEmpty ? "" : table.text + "\n\n") + total
  }

  /// A document with everything.
  var json: String {
    let document: JSON = [
      "node": .string(node),
      "routes": .array(entries.map(Self.json)),
      "counts": .object(
        JSONObject(
          PlannedRoute.State.allCases.map { .init(key: $0.rawValue, value: .number(JSONNumber(counts[$0] ?? 0))) })),
      "conditions": .array(
        conditions.map {
          [
            "kind": .string($0.subject.kind.rawValue), "subject": .string($0.subject.name),
            "message": .string($0.message),
          ]
        }),
    ]
    return String(decoding: document.encoded(JSONFormat(indentation: 2)), as: UTF8.self)
  }

  private static func nextHop(_ route: PlannedRoute) -> String {
    if let desired = route.desired {
      switch desired.path {
      case .blackhole: return "blackhole"
      case .unreachable: return "unreachable"
      case .hop(_, let gateway, _): return gateway.map { "\($0)" } ?? "direct"
      }
    }
    return route.actual.map(nextHop) ?? "-"
  }

  private static func nextHop(_ route: Route) -> String {
    switch route.kind {
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .prohibit: "prohibit"
    default: route.hop?.gateway.map { "\($0)" } ?? "direct"
    }
  }

  private static func json(_ entry: Entry) -> JSON {
    let route = entry.route
    let owner = route.desired?.owner ?? ""
    return [
      "destination": .string("\(route.key.destination)"),
      "state": .string(route.state.rawValue),
      "metric": .number(JSONNumber(route.key.metric)),
      "nextHop": .string(nextHop(route)),
      "device": route.interface.map { .string($0) } ?? .null,
      "node": owner.isEmpty ? .null : .string(owner),
      "block": route.desired.map { .string("\($0.claim)") } ?? .null,
      "actual": route.actual.map(json) ?? .null,
      "reason": .string(entry.reason),
    ]
  }

  private static func json(_ route: Route) -> JSON {
    ["nextHop": .string(nextHop(route)), "protocol": .number(JSONNumber(route.origin.rawValue))]
  }
}
