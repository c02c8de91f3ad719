import CalicoBackend
import TestSupport
import Testing

@Suite("Random identifiers")
struct ResourceUUIDTests {
  @Test("version 4, in lower case, and different each time")
  func form() {
    var generator = SeededGenerator(seed: 1)
    var seen: Set<String> = []
    for _ in 0..<1000 {
      let text = RandomUUID.text(using: &generator)
      let parts = text.split(separator: "-")
      #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
      #expect(parts[2].first == "4")
      #expect("89ab".contains(parts[3].first ?? "x"))
      #expect(text.allSatisfy { "0123456789abcdef-".contains($0) })
      seen.insert(text)
    }
    #expect(seen.count == 1000)
    #expect(RandomUUID.text() != RandomUUID.text())
  }

  private struct Constant: RandomNumberGenerator {
    var value: UInt64
    mutating func next() -> UInt64 { value }
  }

  @Test("only the bits of version and variant are fixed")
  func bits() {
    var zero = Constant(value: 0)
    #expect(RandomUUID.text(using: &zero) == "00000000-0000-4000-8000-000000000000")
    var ones = Constant(value: .max)
    #expect(RandomUUID.text(using: &ones) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
  }
}
