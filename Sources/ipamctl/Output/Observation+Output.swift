import HostLocal
import IPAddressing
import JSON

extension Observation {
  static let headings = ["ADDRESS", "CONTAINER", "INTERFACE", "NETWORK", "STATE", "REASON"]

  /// What was looked at to come to the verdicts.
  var hostDocument: JSON {
    [
      "namespaces": .number(JSONNumber(host.namespaces.count)),
      "runtimeState": JSON(host.runtimes.places),
      "obstacles": JSON(host.obstacles),
    ]
  }

  /// The obstacles as lines for stderr.
  var warnings: [String] { host.obstacles.map { "warning: \($0)" } }
}

extension Observation.Item {
  /// The row below ``Observation/headings``.
  var row: [String] {
    [
      reservation.address.description, reservation.containerText, reservation.interfaceText, network,
      verdict.liveness.rawValue, verdict.reason,
    ]
  }

  /// The reservation with its verdict.
  var members: JSONObject {
    var members = reservation.members
    members["state"] = .string(verdict.liveness.rawValue)
    members["reasons"] = .array(verdict.findings.map { ["code": .string($0.code), "text": .string($0.text)] })
    return members
  }

  /// The reservation with its verdict and its network.
  var document: JSON {
    .object(JSONObject([JSONObject.Member(key: "network", value: .string(network))] + members.members))
  }
}
