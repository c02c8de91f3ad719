import ModelChecker
import Testing

@Suite("Planted bugs")
struct PlantedBugTests {
  @Test("a mistake between engine and store is found", arguments: PlantedBug.allCases)
  func isFound(_ bug: PlantedBug) throws {
    var checker = Checker(bug: bug)
    let found = checker.run(1..<10_001)
    let failure = try #require(found, "not found: \(bug.rawValue)")
    #expect(failure.operations <= 12, "\(failure)")
  }
}
