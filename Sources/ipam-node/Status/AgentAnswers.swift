import JSON
import RouteReports
import Routing

/// What the agent answers over HTTP, by path.
struct AgentAnswers: Sendable {
  let state: AgentState
  let metrics: AgentMetrics
  let store: MetricStore
  /// What there should be and what there is; nil when the kernel cannot be asked.
  let plan: @Sendable () async -> NodePlan?

  /// The answer; nil for a path that there is not.
  func answer(_ path: String) async -> HTTPAnswer? {
    switch path {
    // Alive is who answers: what is wrong with routes is no reason to be started anew.
    case "/livez": return HTTPAnswer(text: "ok\n")
    case "/readyz": return readiness
    case "/status":
      let text = String(decoding: StatusDocument.json(state).encoded(JSONFormat(indentation: 2)), as: UTF8.self)
      return HTTPAnswer(contentType: "application/json", text: text + "\n")
    case "/routes":
      guard let plan = await plan() else { return HTTPAnswer(isGood: false, text: "the kernel cannot be asked now\n") }
      let report = RoutePlan(plan, node: state.nodeName, faults: [])
      return HTTPAnswer(contentType: "application/json", text: report.json + "\n")
    case "/metrics":
      metrics.update(state)
      return HTTPAnswer(
        contentType: PrometheusText.contentType, text: PrometheusText(AgentMetrics.families).text(store.snapshot()))
    default: return nil
    }
  }

  private var readiness: HTTPAnswer {
    if state.isReady { return HTTPAnswer(text: "ok\n") }
    let reasons = state.conditions.all.map { "\($0.subject.kind.rawValue) \($0.subject.name): \($0.message)\n" }
    return HTTPAnswer(isGood: false, text: "not in sync yet\n" + reasons.prefix(20).joined())
  }
}
