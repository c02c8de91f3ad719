import CalicoModel
import IPAddressing
import JSON
import PoolProcedures

/// How far a procedure is.
struct ProcedureStatusView {
  private let procedure: PoolProcedure
  private let observation: ProcedureObservation
  private let text: ProcedureText
  private let steps: [ProcedureStep]

  init(_ procedure: PoolProcedure, _ observation: ProcedureObservation, _ steps: [ProcedureStep]) {
    self.procedure = procedure
    self.observation = observation
    self.steps = steps
    text = ProcedureText(procedure, procedure.direction, steps, observation)
  }

  var lines: [String] {
    var lines = text.plan(holdings: observation.holdings)
    lines.append("Begun \(procedure.beganAt).")
    for role in PoolProcedure.Role.allCases {
      let holdings = observation.holdings(role)
      lines.append("IPPool \(procedure.name(of: role)): \(state(role)); \(holdings.summary) in use")
      lines += ProcedureText.table(holdings, listing: .max)
    }
    return lines
  }

  private func state(_ role: PoolProcedure.Role) -> String {
    guard let pool = observation.pool(role)?.pool else { return "deleted" }
    if pool.isDeleting { return "being deleted" }
    let state = pool.isDisabled ? "disabled" : pool.isEnabled ? "enabled" : "enabled, but not usable"
    return "\(pool.writtenCIDR), blocks of /\(pool.blockSize), \(state)"
  }

  /// All procedures as one document.
  static func document(_ views: [ProcedureStatusView]) -> JSON { .array(views.map(\.document)) }

  private var document: JSON {
    [
      "kind": .string(procedure.kind.rawValue), "direction": .string(procedure.direction.rawValue),
      "began": .string(procedure.beganAt), "source": pool(.source), "standIn": pool(.standIn),
      "steps": .array(steps.filter(\.isShown).map { .string("\($0.action) \(procedure.name(of: $0.role))") }),
    ]
  }

  private func pool(_ role: PoolProcedure.Role) -> JSON {
    let holdings = observation.holdings(role)
    return [
      "name": .string(procedure.name(of: role)), "state": .string(state(role)),
      "inUse": .number(JSONNumber(holdings.holders.count)), "coolingDown": .number(JSONNumber(holdings.coolingDown)),
      "addresses": .array(
        holdings.holders.map {
          ["address": .string($0.address.description), "node": JSON($0.node), "workload": .string($0.text)]
        }),
    ]
  }
}
