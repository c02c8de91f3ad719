/// Who has which condition to report, so that a condition lasts as long as anybody has it.
///
/// A thousand destinations of one unknown node are one condition. A subject that has several says them all.
struct ConditionLedger: Sendable {
  /// Something to report.
  struct Issue: Hashable, Sendable {
    var subject: Condition.Subject
    var message: String

    init(_ kind: Condition.Kind, _ name: String, _ message: String) {
      subject = Condition.Subject(kind, name)
      self.message = message
    }
  }

  /// How many report a message, by subject.
  private var reports: [Condition.Subject: [String: Int]] = [:]
  private(set) var conditions = Tracked<Condition.Subject, Condition>()

  /// Takes what somebody reported out, and what they report now in.
  mutating func replace(_ old: [Issue], with new: [Issue]) {
    guard old != new else { return }
    for issue in old { count(issue, -1) }
    for issue in new { count(issue, 1) }
    for subject in Set((old + new).map(\.subject)) { publish(subject) }
  }

  /// What is different since the last time.
  mutating func take() -> [Condition.Subject: Condition?] { conditions.take() }

  private mutating func count(_ issue: Issue, _ difference: Int) {
    let count = reports[issue.subject, default: [:]][issue.message, default: 0] + difference
    reports[issue.subject, default: [:]][issue.message] = count > 0 ? count : nil
    if reports[issue.subject]?.isEmpty == true { reports[issue.subject] = nil }
  }

  private mutating func publish(_ subject: Condition.Subject) {
    let messages = reports[subject].map { $0.keys.sorted().joined(separator: "; ") }
    conditions.set(subject, messages.map { Condition($0) })
  }
}
