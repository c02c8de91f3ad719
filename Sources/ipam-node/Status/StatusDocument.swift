import CNI
import CalicoModel
import IPAddressing
import JSON
import Routing

/// What `/status` answers.
enum StatusDocument {
  /// The document.
  static func json(_ state: AgentState) -> JSON {
    let status = state.status
    return [
      "node": .string(state.nodeName),
      "version": .string(PackageVersion.current),
      "inSync": .bool(status.isInSync),
      "sourceConnected": .bool(state.isSourceConnected),
      "routes": ["v4": json(status.v4), "v6": json(status.v6)],
      "conditions": .array(state.conditions.all.map(json)),
      "statistics": [
        "passes": .number(JSONNumber(status.statistics.passes)),
        "resyncs": .number(JSONNumber(status.statistics.resyncs)),
        "disturbances": .number(JSONNumber(status.statistics.disturbances)),
        "refusals": .number(JSONNumber(status.statistics.refusals)),
      ],
    ]
  }

  private static func json(_ counts: RouteCounts) -> JSON {
    [
      "desired": .number(JSONNumber(counts.desired)), "present": .number(JSONNumber(counts.present)),
      "failed": .number(JSONNumber(counts.failed)), "held": .number(JSONNumber(counts.held)),
    ]
  }

  private static func json(_ entry: ConditionBoard.Entry) -> JSON {
    [
      "kind": .string(entry.subject.kind.rawValue), "subject": .string(entry.subject.name),
      "message": .string(entry.message), "since": .string(entry.since.description),
    ]
  }
}
