import IPAddressing
import JSON
import Netlink
public import Routing
import Terminal

/// The routes that a node should have, and on that node itself those that it has, as they are printed.
public struct RoutePlan {
  /// The node.
  public let node: String
  private let rows: [RouteRow]
  /// Nil when the kernel was not asked.
  private let counts: [PlannedRoute.State: Int]?
  private let conditions: [(subject: Condition.Subject, message: String)]
  /// What is wrong, a line each.
  public let problems: [String]

  /// What should be there against what is.
  ///
  /// - Parameters:
  ///   - plan: the comparison.
  ///   - node: the node, which is this one.
  ///   - faults: what was left out of the datastore, a line each.
  public init(_ plan: NodePlan, node: String, faults: [String]) {
    let reasons = Self.reasons(plan.decisions)
    self.init(
      node: node, rows: plan.routes.map { RouteRow($0, reasons: reasons) },
      counts: Dictionary(plan.routes.map { ($0.state, 1) }, uniquingKeysWith: +), plan.conditions, faults)
  }

  /// What should be there, on another machine.
  ///
  /// - Parameters:
  ///   - computation: has been told everything.
  ///   - faults: what was left out of the datastore, a line each.
  public init(_ computation: RouteComputation, faults: [String]) {
    let reasons = Self.reasons(computation.decisions)
    let desired = computation.desired
    let rows = desired.routes.map { key, route in
      var device: String?
      if case .hop(let role, _, _) = route.path { device = computation.configuration.deviceName(role) }
      return RouteRow(key, route, device: device, reasons: reasons)
    }
    self.init(
      node: computation.configuration.nodeName, rows: rows.sorted { $0.key < $1.key }, counts: nil,
      desired.conditions, faults)
  }

  private init(
    node: String, rows: [RouteRow], counts: [PlannedRoute.State: Int]?,
    _ conditions: [Condition.Subject: Condition], _ faults: [String]
  ) {
    self.node = node
    self.rows = rows
    self.counts = counts
    self.conditions = conditions.map { ($0.key, $0.value.message) }.sorted {
      ($0.subject.kind.rawValue, $0.subject.name) < ($1.subject.kind.rawValue, $1.subject.name)
    }
    problems = faults + self.conditions.map { "\($0.subject.kind.rawValue) \($0.subject.name): \($0.message)" }
  }

  private static func reasons(_ decisions: [RouteDecision]) -> [CIDR: String] {
    Dictionary(decisions.map { ($0.destination, $0.explanation) }) { first, _ in first }
  }

  // MARK: Output

  /// A table, and what it comes to.
  public var table: String {
    let headings = ["DESTINATION", "NEXT HOP", "DEVICE", "NODE", "BLOCK", "WHY"]
    var table = TextTable(counts == nil ? headings : ["STATE"] + headings)
    for row in rows { table.add((row.state.map { [$0.rawValue] } ?? []) + row.cells) }
    return rows.isEmpty ? total : table.text + "\n\n" + total
  }

  private var total: String {
    if rows.isEmpty { return "node \(PrintableText.of(node)) should have no routes" }
    guard let counts else {
      return "\(rows.count) routes; which of them node \(PrintableText.of(node)) has, only it can tell"
    }
    return PlannedRoute.State.allCases.compactMap { state in
      counts[state].map { "\($0) \(state.rawValue)" }
    }.joined(separator: ", ")
  }

  /// A document with everything.
  public var json: String {
    let counts = counts.map { counts in
      JSON.object(
        JSONObject(
          PlannedRoute.State.allCases.map { .init(key: $0.rawValue, value: .number(JSONNumber(counts[$0] ?? 0))) }))
    }
    let document: JSON = [
      "node": .string(node),
      "routes": .array(rows.map(\.document)),
      "counts": counts ?? .null,
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
}
