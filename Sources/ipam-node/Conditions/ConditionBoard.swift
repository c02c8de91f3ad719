import CalicoModel
import Logging
import Routing
import Synchronization

/// What stands in the way now, gathered from all parts of the agent. Each condition is logged once when it begins, once
/// when it is another one, and once when it is over.
final class ConditionBoard: Sendable {
  /// A condition, and since when it is so.
  struct Entry: Hashable, Sendable {
    let subject: Condition.Subject
    let message: String
    let since: Timestamp
  }

  /// More of one kind at once than this are told in one line: a datastore without nodes makes thousands.
  private static let linesAtOnce = 10

  private let entries = Mutex<[Condition.Subject: Entry]>([:])
  private let logger: Logger
  private let now: @Sendable () -> Timestamp

  init(logger: Logger, now: @escaping @Sendable () -> Timestamp = TimeOfDay.now) {
    self.logger = logger
    self.now = now
  }

  /// Everything that is wrong, by kind and subject.
  var all: [Entry] {
    entries.withLock { Array($0.values) }.sorted {
      ($0.subject.kind.rawValue, $0.subject.name) < ($1.subject.kind.rawValue, $1.subject.name)
    }
  }

  /// How many conditions of each kind there are, kinds without any included.
  var counts: [Condition.Kind: Int] {
    var counts = Dictionary(uniqueKeysWithValues: Condition.Kind.allCases.map { ($0, 0) })
    entries.withLock { entries in
      for subject in entries.keys { counts[subject.kind, default: 0] += 1 }
    }
    return counts
  }

  /// Takes over what is different. A condition of nil: it is over.
  func update(_ changes: [Condition.Subject: Condition?]) {
    let time = now()
    var begun: [Entry] = []
    var ended: [Entry] = []
    entries.withLock { entries in
      for (subject, condition) in changes {
        let old = entries[subject]
        guard old?.message != condition?.message else { continue }
        if let condition {
          let entry = Entry(subject: subject, message: condition.message, since: old?.since ?? time)
          entries[subject] = entry
          begun.append(entry)
        } else if let old {
          entries[subject] = nil
          ended.append(old)
        }
      }
    }
    tell(begun) { entry in
      logger.log(level: Self.level(entry.subject.kind), "\(entry.message)", metadata: Self.facts(entry))
    }
    tell(ended) { entry in
      logger.notice("\(entry.subject.kind.rawValue) is over: \(entry.subject.name)", metadata: Self.facts(entry))
    }
  }

  private func tell(_ entries: [Entry], _ line: (Entry) -> Void) {
    for (kind, group) in Dictionary(grouping: entries, by: \.subject.kind) {
      let sorted = group.sorted { $0.subject.name < $1.subject.name }
      for entry in sorted.prefix(Self.linesAtOnce) { line(entry) }
      let rest = sorted.count - Self.linesAtOnce
      if rest > 0 { logger.notice("and the same of \(rest) more: see /status", metadata: ["kind": "\(kind.rawValue)"]) }
    }
  }

  private static func facts(_ entry: Entry) -> Logger.Metadata {
    ["kind": "\(entry.subject.kind.rawValue)", "subject": "\(entry.subject.name)"]
  }

  /// Errors are what keeps the agent from its work as a whole.
  private static func level(_ kind: Condition.Kind) -> Logger.Level {
    switch kind {
    case .notPermitted, .deletionsHeld, .noParent, .sourceInterrupted: .error
    default: .warning
    }
  }
}
