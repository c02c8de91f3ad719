import HostLocal
import IPAddressing
import JSON

/// What two looks at the reservations have in common, and what came of it.
struct CollectionReport {
  let latest: Observation
  /// Dead both times and the same file, as the second look saw it.
  let candidates: [Observation.Item]
  /// The candidates within the budget.
  let chosen: [Observation.Item]
  /// What was released; nil for a dry run.
  var released: [Observation.Item]?

  init(first: Observation, second: Observation, budget: Int?) {
    latest = second
    let deadBefore = Set(first.dead)
    candidates = second.dead.filter { deadBefore.contains($0) }
    chosen = Array(candidates.prefix(budget ?? .max))
  }

  func outcome(_ store: StoreOptions, interval: UInt32) -> CommandOutcome {
    var diagnostics = latest.warnings
    let status: Int32 = latest.host.obstacles.isEmpty ? 0 : 1
    switch store.output {
    case .json:
      // The document is for programs; the log of releases belongs to it nevertheless.
      diagnostics += (released ?? []).map { Release.line($0, isChanged: true) }
      return CommandOutcome(output: document(store, interval).text, diagnostics: diagnostics, status: status)
    case .table:
      return CommandOutcome(output: lines.joined(separator: "\n"), diagnostics: diagnostics, status: status)
    }
  }

  private var lines: [String] {
    var lines: [String] = []
    if chosen.isEmpty {
      let reason = latest.host.obstacles.isEmpty ? "no reservation looks dead" : Finding.lookIncomplete.text
      lines.append("Nothing to release: \(reason).")
    }
    if let released {
      lines += chosen.map { item in
        released.contains(item)
          ? Release.line(item, isChanged: true)
          : "left alone \(item.reservation.address) of network '\(item.network)': it changed meanwhile"
      }
    } else if !chosen.isEmpty {
      lines += chosen.map { Release.line($0, isChanged: false) }
      lines.append("Nothing was changed; --apply releases.")
    }
    let rest = candidates.count - chosen.count
    if rest > 0 { lines.append("\(rest) more look dead and are beyond --max-releases.") }
    return lines
  }

  private func document(_ store: StoreOptions, _ interval: UInt32) -> JSON {
    [
      "dataDir": .string(store.dataDirectory),
      "applied": .bool(released != nil),
      "interval": .number(JSONNumber(interval)),
      "host": latest.hostDocument,
      "dead": .number(JSONNumber(candidates.count)),
      "reservations": .array(
        chosen.map { item in
          guard var members = item.document.objectValue else { return nil }
          members["released"] = .bool(released?.contains(item) ?? false)
          return .object(members)
        }
      ),
    ]
  }
}
