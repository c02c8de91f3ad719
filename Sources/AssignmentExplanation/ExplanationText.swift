import CalicoBackend
import CalicoEngine
import CalicoModel
import IPAddressing
import Terminal

/// An explanation for people: what would happen, what would help, and then what it was decided by.
struct ExplanationText {
  /// How many blocks of others are shown one by one.
  private static let shownOthers = 8

  private let explanation: Explanation
  private var lines: [String] = []

  init(_ explanation: Explanation) {
    self.explanation = explanation
    addOutcome()
    addWishes()
    addPools()
    addBlocks()
    lines += ["", "Nothing was taken and nothing was written."]
  }

  /// The lines, the last one ended as well.
  var text: String { lines.map { $0 + "\n" }.joined() }

  private var question: AssignmentQuestion { explanation.question }

  // MARK: - What would happen

  private mutating func addOutcome() {
    let subject = question.subject
    let whom = PrintableText.of(subject.prefix(1).uppercased() + subject.dropFirst())
    switch explanation.outcome {
    case .assigned(let addresses):
      let texts = addresses.map(\.address.description).joined(separator: " and ")
      lines.append("\(whom) would get \(texts).")
      for address in explanation.addresses { lines.append("  " + origin(of: address)) }
    case .refused(let failure):
      let message = PrintableText.of(failure.message.trimmingEnd)
      lines.append("\(whom) would get no address: \(message)")
      let remedies = explanation.remedies
      if !remedies.isEmpty { lines += ["", "What would help:"] }
      for remedy in remedies {
        lines.append("  - " + PrintableText.of(remedy.text))
        if let command = remedy.command { lines.append("      " + PrintableText.of(command)) }
      }
    }
  }

  private func origin(of found: Explanation.AddressFinding) -> String {
    let address = found.address.address.description
    guard let block = found.block else { return "\(address) is the virtual machine's already" }
    let pool = found.pool.map { " of pool \(PrintableText.of($0))" } ?? ""
    let tally = explanation.blocks.first { $0.block == block }?.tally
    let room = tally.map { ": \($0.phrase)" } ?? ""
    let node = PrintableText.of(question.node)
    switch found.source {
    case .own: return "\(address) is from block \(block)\(pool), which is affine to \(node)\(room)"
    case .new: return "\(address) is from block \(block)\(pool), which \(node) would claim for it"
    case .borrowed(let owner):
      return "\(address) is borrowed from block \(block)\(pool), which is \(borrowing(owner))\(room)"
    case .reused, nil: return "\(address) is from block \(block)\(pool), and the same owner has it already"
    }
  }

  private func borrowing(_ owner: String?) -> String {
    owner == nil ? "affine to nobody" : "affine to \(BlockTally.ownerPhrase(owner))"
  }

  // MARK: - What was asked for

  private mutating func addWishes() {
    guard let wishes = explanation.wishes else { return }
    lines += ["", "Asked for:"]
    if !wishes.addresses.isEmpty {
      let texts = wishes.addresses.map(\.description).joined(separator: " and ")
      lines.append("  \(texts) (\(wishes.addressesSource.phrase))")
      return
    }
    for (family, isWanted, pools, source) in [
      (AddressFamily.v4, wishes.assignsV4, wishes.poolsV4, wishes.poolsV4Source),
      (.v6, wishes.assignsV6, wishes.poolsV6, wishes.poolsV6Source),
    ] where isWanted {
      let families = wishes.familiesSource == .configuration ? "" : " (\(wishes.familiesSource.phrase))"
      let place = question.pools.isEmpty ? source.phrase : "this command"
      let names = pools.map { PrintableText.of($0) }.joined(separator: ", ")
      let from = pools.isEmpty ? ", from any pool that fits" : ", from \(names) (\(place))"
      lines.append("  IPv\(family.rawValue)\(families)\(from)")
    }
    if !wishes.assignsV4, !wishes.assignsV6 { lines.append("  nothing: both families are off") }
  }

  // MARK: - Pools

  private mutating func addPools() {
    // A pool of the other family is worth a word only where there is no other.
    let families = Set(explanation.pools.filter { $0.obstacle != .otherFamily }.map(\.pool.family))
    let pools = explanation.pools.filter { $0.obstacle != .otherFamily || !families.contains($0.pool.family) }
    guard !pools.isEmpty else { return }
    let order = pools.filter { $0.obstacle == nil } + pools.filter { $0.obstacle != nil }
    var table = TextTable(["", "POOL", "CIDR", "VERDICT"])
    for finding in order {
      let verdict = finding.obstacle.map { "passed over: \($0.phrase(question))" } ?? "can be used"
      table.add(["", PrintableText.of(finding.pool.name), PrintableText.of(finding.pool.cidr), verdict])
    }
    lines += ["", "Pools:", table.text]
    for case .requestedPoolMissing(let cidr) in explanation.decisions {
      lines.append("  there is no enabled pool \(cidr), which is asked for")
    }
    for case .everyBlockExists(let pool) in explanation.decisions {
      lines.append("  every block of pool \(PrintableText.of(pool.name)) exists already, or is reserved")
    }
  }

  // MARK: - Blocks

  private mutating func addBlocks() {
    let blocks = explanation.blocks
    let limits = limits
    guard !blocks.isEmpty || !limits.isEmpty else { return }
    var table = TextTable(["", "BLOCK", "OWNER", "ADDRESSES", "VERDICT"])
    var hidden: [BlockTally] = []
    var others = 0
    for finding in blocks {
      let verdict = verdict(on: finding)
      if verdict == nil, finding.fates.allSatisfy(\.isAnothers) {
        others += 1
        if others > Self.shownOthers || finding.tally?.free == 0 {
          if let tally = finding.tally { hidden.append(tally) }
          continue
        }
      }
      table.add([
        "", finding.block.description, finding.tally?.ownerPhrase ?? "-", finding.tally?.phrase ?? "-",
        verdict ?? finding.fates.map { $0.phrase(PrintableText.of(question.node)) }.joined(separator: "; "),
      ])
    }
    lines += ["", "Blocks:"]
    if blocks.count > hidden.count { lines.append(table.text) }
    if !hidden.isEmpty {
      let free = hidden.reduce(0) { $0 + $1.free }
      let more = blocks.count > hidden.count ? " more" : ""
      lines.append("  \(hidden.count)\(more) of other owners, with \(free) free addresses in all")
    }
    lines += limits.map { "  " + $0 }
  }

  /// What is said of a block from which addresses are taken; nil of any other.
  private func verdict(on finding: Explanation.BlockFinding) -> String? {
    var given: String?
    for case .gives(let addresses, finding.block, let source) in explanation.decisions {
      let texts = addresses.map(\.description).joined(separator: ", ")
      if case .borrowed = source { given = "lends \(texts)" } else { given = "gives \(texts)" }
    }
    guard let given else { return nil }
    let fates = finding.fates.filter { $0 != .own && $0 != .others }
    return (fates.map { $0.phrase(PrintableText.of(question.node)) } + [given]).joined(separator: "; ")
  }

  /// What keeps the node from blocks, or may.
  private var limits: [String] {
    let node = PrintableText.of(question.node)
    return explanation.decisions.compactMap { decision in
      switch decision {
      case .blockLimit(let limit):
        let reach = limit.isReached ? "which is all it may have" : "and may have \(limit.limit)"
        return "\(node) has \(limit.owned) IPv\(limit.family.rawValue) blocks in these pools, \(reach)"
      case .claimsAreOff: return "no new block is claimed: autoAllocateBlocks is false"
      case .borrowingIsOff: return "no block of another owner is borrowed from: strictAffinity is true"
      case .affinityForbids(let block, let owner):
        return "block \(block) is affine to \(BlockTally.ownerPhrase(owner)), and strictAffinity is true"
      case .withholds(let family): return "IPv\(family.rawValue) would be had, but not without the other IP version"
      default: return nil
      }
    }
  }
}

extension BlockFate {
  /// Whether the block stays with another owner.
  fileprivate var isAnothers: Bool {
    switch self {
    case .others, .tooYoung, .unreclaimable: true
    default: false
    }
  }
}

extension String {
  /// Without white space at the end: some of upstream's messages end a line.
  var trimmingEnd: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}

extension Explanation {
  /// The explanation for people, the last line ended as well.
  public var text: String { ExplanationText(self).text }
}
