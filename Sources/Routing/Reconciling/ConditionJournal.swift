/// What is wrong now, and what of it is new: each is told once when it begins and once when it ends.
struct ConditionJournal: Sendable {
  private(set) var conditions: [Condition.Subject: Condition] = [:]
  private var changed: [Condition.Subject: Condition?] = [:]

  /// States what is wrong with a subject, or that nothing is.
  mutating func set(_ subject: Condition.Subject, _ condition: Condition?) {
    guard conditions[subject] != condition else { return }
    // What comes and goes between two looks is still told in the end as it is, against what was told before.
    if changed[subject] == nil { told[subject] = conditions[subject] }
    conditions[subject] = condition
    changed[subject] = .some(condition)
  }

  mutating func clear(_ kind: Condition.Kind, _ name: String) {
    set(Condition.Subject(kind, name), nil)
  }

  mutating func raise(_ kind: Condition.Kind, _ name: String, _ message: @autoclosure () -> String) {
    set(Condition.Subject(kind, name), Condition(message()))
  }

  func has(_ kind: Condition.Kind, _ name: String) -> Bool { conditions[Condition.Subject(kind, name)] != nil }

  private var told: [Condition.Subject: Condition] = [:]

  /// What is different since this was asked last. A value of nil: it is over.
  mutating func takeChanges() -> [Condition.Subject: Condition?] {
    defer {
      changed = [:]
      told = [:]
    }
    return changed.filter { told[$0.key] != $0.value }
  }
}
