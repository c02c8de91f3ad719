import ModelChecker
import Testing

/// A sample of what `check-model` runs at length: see integration/model.
@Suite("Histories")
struct HistoryTests {
  @Test("no rule is broken", arguments: [0, 1_000_000, 2_000_000])
  func nothingIsBroken(_ first: UInt64) {
    var checker = Checker()
    let failure = checker.run(first..<first + 60)
    #expect(failure == nil, "\(failure?.description ?? "")")
  }

  @Test("a seed gives the same history each time")
  func isReproducible() {
    var (first, second) = (Checker(), Checker())
    _ = first.run(1..<20)
    _ = second.run(1..<20)
    #expect(first.coverage.table == second.coverage.table)
    #expect(first.coverage.writes == second.coverage.writes)
  }

  @Test("writes of every operation are reached and cut off")
  func isCovered() {
    var checker = Checker()
    _ = checker.run(1..<150)
    let cut = checker.coverage.cut.keys.map(\.description)
    for operation in [
      "AutoAssign", "AssignAddress", "ReleaseByHandle", "ReleaseAddresses", "ReleaseAffinities", "ClaimAffinity",
      "upstream AutoAssign", "upstream ReleaseByHandle",
    ] {
      #expect(cut.contains { $0.hasPrefix(operation + " |") }, "\(operation)")
    }
  }

  @Test("a write is named as the table names it")
  func targetsAreRead() {
    var checker = Checker()
    _ = checker.run(1..<10)
    for position in checker.coverage.begun.keys {
      #expect(WritePosition(position.description) == position)
    }
  }
}

@Suite("Shortened histories")
struct ShrinkerTests {
  @Test("what has nothing to do with the failure is left out")
  func isShort() throws {
    var checker = Checker(bug: .handleAfterBlock)
    let found = checker.run(1..<100)
    let failure = try #require(found)
    #expect(failure.operations == 1)
    #expect(failure.faults == 0)
    #expect(failure.trace.last?.contains("VIOLATION") ?? false)
  }
}
