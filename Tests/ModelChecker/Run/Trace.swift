import CalicoModel
import Datastore

/// What happened, line by line, for people.
struct Trace {
  let isEnabled: Bool
  private(set) var lines: [String] = []

  init(isEnabled: Bool) {
    self.isEnabled = isEnabled
  }

  /// Adds a line, which is not even made when nobody wants it.
  mutating func add(_ line: () -> String) {
    if isEnabled { lines.append(line()) }
  }

  static func text(_ value: Value?) -> String {
    switch value {
    case nil: "nothing"
    case .block(let block): text(block)
    case .affinity(let affinity): "\(affinity.state)"
    case .handle(let handle):
      handle.counts.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
    case .configuration(let configuration):
      "strict \(configuration.strictAffinity), cooldown \(configuration.cooldownSeconds) s, "
        + "at most \(configuration.maxBlocksPerHost) blocks"
    case .resource(let text): String(decoding: text, as: UTF8.self)
    }
  }

  private static func text(_ block: IPAMBlock) -> String {
    let slots = Slot.slots(of: block).map { slot in
      switch slot {
      case .free: "-"
      case .cooling(let time): "cooling since \(time)"
      case .used(let handle, let number): "\(handle ?? "nobody") (\(number.map(String.init) ?? "no number"))"
      }
    }
    return "\(block.affinity ?? "nobody") seq \(block.sequenceNumber) [\(slots.joined(separator: ", "))]"
  }
}

extension Key {
  /// A short name for traces.
  var text: String {
    switch self {
    case .block(let cidr): "block \(cidr)"
    case .affinity(let owner, let cidr): "affinity \(owner) \(cidr)"
    case .handle(let name): name
    case .configuration: "configuration"
    case .host(let name): "host \(name)"
    case .resource(_, let name): name
    }
  }
}

extension Read {
  var text: String {
    switch self {
    case .entry(let key): key.text
    case .list(let listing): "list of \(listing.scope)"
    }
  }

  /// Whether it is about what processes change; what people configure is read together with what comes next.
  var isDynamic: Bool {
    switch self {
    case .entry(.block), .entry(.affinity), .entry(.handle), .entry(.host): true
    case .entry: false
    case .list(let listing):
      switch listing.scope {
      case .resources: false
      default: true
      }
    }
  }
}

extension Outcome {
  var text: String {
    switch self {
    case .applied: "applied"
    case .conflict(let key, let applied):
      "conflict at \(key.text), after \(applied.count) writes"
    case .unknown(let write, let applied):
      "no answer for \(write?.key.text ?? "something"), after \(applied.count) writes"
    }
  }
}

extension ActorResult {
  var text: String {
    let addresses = acquired.map { "\($0.address) (\($0.number))" }.joined(separator: ", ")
    return "ends\(addresses.isEmpty ? "" : " with \(addresses)")\(error.map { ": \($0)" } ?? "")"
  }
}
