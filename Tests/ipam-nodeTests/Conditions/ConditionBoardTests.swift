import CalicoModel
import Routing
import Testing

@testable import ipam_node

@Suite("Conditions")
struct ConditionBoardTests {
  private let lines = LogLines()

  private func subject(_ kind: Condition.Kind, _ name: String) -> Condition.Subject { Condition.Subject(kind, name) }

  @Test("R-25: are logged when they begin, change and end, and never in between")
  func once() {
    let board = ConditionBoard(logger: lines.logger(), now: { Timestamp(seconds: 7) })
    let foreign = subject(.foreign, "10.65.2.0/26")
    for _ in 1...3 { board.update([foreign: Condition("BIRD has it")]) }
    board.update([foreign: Condition("Felix has it")])
    for _ in 1...3 { board.update([foreign: nil]) }
    let facts = "kind=Foreign subject=10.65.2.0/26"
    #expect(
      lines.all == [
        "NOW warning test: BIRD has it \(facts)", "NOW warning test: Felix has it \(facts)",
        "NOW notice test: Foreign is over: 10.65.2.0/26 \(facts)",
      ])
    #expect(board.all == [])
  }

  @Test("are listed by kind and subject, with the time when they began")
  func listing() {
    let board = ConditionBoard(logger: lines.logger(), now: { Timestamp(seconds: 7) })
    board.update([subject(.unresolved, "n2"): Condition("b"), subject(.foreign, "x"): Condition("c")])
    board.update([subject(.unresolved, "n1"): Condition("a")])
    #expect(board.all.map(\.subject.name) == ["x", "n1", "n2"])
    #expect(board.all.allSatisfy { $0.since == Timestamp(seconds: 7) })
    #expect(board.counts[.unresolved] == 2)
    #expect(board.counts[.malformed] == 0)
    #expect(board.counts.count == Condition.Kind.allCases.count)
  }

  @Test("in thousands are told in a few lines")
  func many() {
    let board = ConditionBoard(logger: lines.logger())
    let subjects = (1...5000).map { subject(.unresolved, "n\($0)") }
    board.update(Dictionary(uniqueKeysWithValues: subjects.map { ($0, Condition("unknown")) }))
    #expect(lines.all.count == 11)
    #expect(lines.all.last == "NOW notice test: and the same of 4990 more: see /status kind=Unresolved")
    #expect(board.all.count == 5000)
  }

  @Test("of which nothing was known do not end")
  func unknown() {
    ConditionBoard(logger: lines.logger()).update([subject(.device, "tunl0"): nil])
    #expect(lines.all == [])
  }
}
