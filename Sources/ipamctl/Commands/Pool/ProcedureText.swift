import CalicoModel
import PoolProcedures
import Terminal

/// A procedure in words.
struct ProcedureText: Sendable {
  /// How many addresses are listed before the rest is only counted.
  private static let listedHolders = 20

  private let procedure: PoolProcedure
  private let direction: PoolProcedure.Direction
  /// The steps that people are told of.
  private let steps: [ProcedureStep]
  private let ranges: [PoolProcedure.Role: (cidr: String, blockSize: Int)]

  init(_ proposal: ProcedureProposal) {
    procedure = proposal.procedure
    direction = .forward
    steps = proposal.steps.filter(\.isShown)
    ranges = [.source: procedure.sourceAsItWas, .standIn: proposal.standInRange]
  }

  init(
    _ procedure: PoolProcedure, _ direction: PoolProcedure.Direction, _ steps: [ProcedureStep],
    _ observation: ProcedureObservation
  ) {
    var procedure = procedure
    procedure.direction = direction
    self.procedure = procedure
    self.direction = direction
    self.steps = steps.filter(\.isShown)
    let pool = observation.standIn?.pool
    ranges = [.source: procedure.sourceAsItWas, .standIn: (pool?.writtenCIDR ?? "", pool?.blockSize ?? 0)]
  }

  private func pool(_ role: PoolProcedure.Role) -> String { "IPPool \(procedure.name(of: role))" }

  private func cut(_ role: PoolProcedure.Role, size: Int? = nil) -> String {
    let range = ranges[role] ?? ("", 0)
    return "\(range.cidr), blocks of /\(size ?? range.blockSize)"
  }

  // MARK: - The plan

  /// What the procedure is.
  var heading: String {
    let what =
      switch procedure.kind {
      case .migration: "Migration from \(pool(.source)) (\(cut(.source))) to \(pool(.standIn)) (\(cut(.standIn)))"
      case .resizing:
        "\(pool(.source)) (\(cut(.source))) gets blocks of /\(procedure.blockSize ?? 0), through \(pool(.standIn)) "
          + "(\(cut(.standIn)))"
      }
    return direction == .back ? "Way back: \(what)" : what
  }

  /// The lines of the plan.
  ///
  /// - Parameters:
  ///   - notes: what a person should know.
  ///   - holdings: what is in use now, by pool.
  /// - Returns: the lines.
  func plan(notes: [String] = [], holdings: [PoolProcedure.Role: PoolHoldings]) -> [String] {
    var lines = ["\(heading)", ""]
    let width = String(steps.count).utf8.count
    for (number, step) in zip(1..., steps) {
      let indent = String(repeating: " ", count: 2 + width - String(number).utf8.count)
      lines.append("\(indent)\(number). \(text(step, holdings[step.role]))")
    }
    if steps.isEmpty { lines.append("  There is nothing left to do but to tidy up.") }
    lines.append("")
    let command = "ipamctl pool \(procedure.kind.rawValue)"
    lines.append("It may be interrupted at any time: '\(command) --continue \(procedure.source)' goes on.")
    if direction == .forward, let last = steps.indices.last {
      lines.append("Until step \(last + 1), '\(command) --undo \(procedure.source)' goes back to the start.")
    }
    return lines + notes.map { "Note: \($0)." }
  }

  private func text(_ step: ProcedureStep, _ holdings: PoolHoldings?) -> String {
    let pool = pool(step.role)
    switch step.action {
    case .create where step.role == .standIn:
      return "create \(pool) with \(cut(.standIn)), and otherwise as \(procedure.source); "
        + "nothing is given out of it yet"
    case .create:
      let size = procedure.goal == .resized ? procedure.blockSize : nil
      return "create \(pool) again with \(cut(.source, size: size)); nothing is given out of it yet"
    case .enable: return "enable \(pool)"
    case .disable: return "disable \(pool): nothing new is given out of it, and who has an address keeps it"
    case .drain:
      let count = holdings.map { $0.holders.isEmpty ? "" : " (now \($0.summary))" } ?? ""
      return "wait until no address of \(pool) is in use\(count); restart the workloads meanwhile"
    case .delete: return "delete \(pool)"
    case .putBack: return "make \(pool) again: an address was given out of it while it was deleted"
    case .claim, .awaitUse, .awaitDeletion, .clear, .release, .forget: return ""
    }
  }

  // MARK: - Progress

  /// What says every event of a run.
  func reporter(_ conversation: Conversation) -> @Sendable (ProcedureEvent) -> Void {
    let text = self
    return { event in text.lines(event).forEach(conversation.say) }
  }

  private func number(_ step: ProcedureStep) -> String {
    guard let index = steps.firstIndex(of: step) else { return "   " }
    return "\(index + 1)/\(steps.count)"
  }

  func lines(_ event: ProcedureEvent) -> [String] {
    switch event {
    case .begins: return []
    case .done(let step): return ["\(number(step)) \(done(step))"]
    case .waits(let role, let holdings):
      let step = steps.first { $0.action == .drain && $0.role == role }
      let prefix = step.map { number($0) } ?? "   "
      return ["\(prefix) waiting: \(holdings.summary) of \(pool(role)) in use"]
        + Self.table(holdings, listing: Self.listedHolders)
    case .left(let holders, let remaining):
      let rest = remaining.holders.isEmpty && remaining.coolingDown == 0 ? "none is left" : "\(remaining.summary) left"
      var lines = holders.prefix(Self.listedHolders).map { "    \($0.address) was given back by \($0.text)" }
      if holders.count > Self.listedHolders { lines.append("    and \(holders.count - Self.listedHolders) more") }
      lines.append("    \(rest)")
      return lines
    }
  }

  private func done(_ step: ProcedureStep) -> String {
    let pool = pool(step.role)
    switch step.action {
    case .create: return "\(pool) is created"
    case .enable: return "\(pool) is enabled"
    case .disable: return "\(pool) is disabled"
    case .drain: return "no address of \(pool) is in use"
    case .delete: return "\(pool) is deleted"
    case .putBack: return "\(pool) is made again: an address was given out of it while it was deleted"
    case .claim, .awaitUse, .awaitDeletion, .clear, .release, .forget: return ""
    }
  }

  /// The last line of a run that came to its end.
  var ending: String {
    switch (direction, procedure.kind) {
    case (.back, _): "Everything is as it was: \(pool(.source)) is in use."
    case (.forward, .migration): "Done: \(pool(.standIn)) has taken the place of \(pool(.source))."
    case (.forward, .resizing): "Done: \(pool(.source)) has blocks of /\(procedure.blockSize ?? 0)."
    }
  }

  /// Who has addresses, as a table.
  static func table(_ holdings: PoolHoldings, listing limit: Int) -> [String] {
    guard !holdings.holders.isEmpty else { return [] }
    var table = TextTable(["    ADDRESS", "NODE", "WORKLOAD"])
    for holder in holdings.holders.prefix(limit) {
      table.add(["    \(holder.address)", PrintableText.of(holder.node ?? "-"), holder.text])
    }
    var lines = table.text.split(separator: "\n").map(String.init)
    if holdings.holders.count > limit {
      lines.append(
        "    and \(holdings.holders.count - limit) more; "
          + "--status lists all")
    }
    return lines
  }
}

extension AddressHolder {
  /// Who it is, in words.
  var text: String {
    switch kind {
    case .pod(let namespace, let name): PrintableText.of("\(namespace)/\(name)")
    case .tunnel(let type): PrintableText.of("\(type) of the node")
    case .other(let handle): handle.map { PrintableText.of($0) } ?? "nobody knows"
    }
  }
}

extension PoolHoldings {
  /// How many addresses are in use, and how many cool down.
  var summary: String {
    let count = holders.count.of("address", plural: "addresses")
    return coolingDown > 0 ? "\(count), and \(coolingDown) cooling down" : count
  }
}
