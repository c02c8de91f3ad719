import CalicoModel
import TestSupport
import Testing

@Suite("Selectors at random")
struct SelectorRandomTests {
  @Test("a printed expression means what its tree means", arguments: [1, 2, 3, 20_260_801] as [UInt64])
  func expressions(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var matching = 0
    let count = 500
    for _ in 0..<count {
      let expression = SelectorExpression.random(depth: 4, using: &random)
      let text = expression.text(using: &random)
      let selector = try Selector(text)
      for _ in 0..<8 {
        let labels = Self.labels(using: &random)
        let expected = expression.holds(labels)
        try #require(selector.matches(labels) == expected, "seed \(seed): \(text) for \(labels)")
        if expected { matching += 1 }
      }
    }
    // Neither outcome is so rare that the test would say little.
    #expect((count * 2...count * 6).contains(matching), "seed \(seed): \(matching)")
  }

  @Test("no bytes whatever crash the parser", arguments: [1, 2, 3] as [UInt64])
  func bytes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<4000 {
      let count = Int.random(in: 0...40, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      survive(String(decoding: bytes, as: UTF8.self), seed: seed)
    }
  }

  @Test("no sequence of tokens crashes the parser", arguments: [4, 5, 6] as [UInt64])
  func tokens(seed: UInt64) {
    let tokens = [
      "k", "in", "not", "notin", "starts", "with", "has(", "all(", "global(", "all()", "has(k)", "k=='v'", "(", ")",
      "{",
      "}", ",", "'", "\"", "'v'", "==", "!=", "=", "!", "&&", "&", "||", "|", " ", "\t", "\n", "é", "contains",
    ]
    var random = SeededGenerator(seed: seed)
    var parsed = 0
    for _ in 0..<4000 {
      let count = Int.random(in: 0...12, using: &random)
      let chosen = (0..<count).map { _ in tokens[Int.random(in: tokens.indices, using: &random)] }
      if survive(chosen.joined(), seed: seed) { parsed += 1 }
    }
    #expect(parsed > 50, "seed \(seed)")
  }

  @Test("no part of a valid selector crashes the parser", arguments: [7, 8] as [UInt64])
  func parts(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<40 {
      let text = Array(SelectorExpression.random(depth: 3, using: &random).text(using: &random).utf8)
      for end in text.indices { survive(String(decoding: text[..<end], as: UTF8.self), seed: seed) }
      for start in text.indices { survive(String(decoding: text[start...], as: UTF8.self), seed: seed) }
    }
  }

  /// Parses and evaluates, and tells whether the text is a selector. An error must point into the text.
  @discardableResult
  private func survive(_ text: String, seed: UInt64) -> Bool {
    do throws(SelectorError) {
      let selector = try Selector(text)
      let opposite = try Selector("!(\(text.allSatisfy(\.isBlank) ? "all()" : text))")
      for labels in [[:], ["k": "v"], ["k": "", "in": "v"]] {
        #expect(selector.matches(labels) != opposite.matches(labels), "seed \(seed): \(text)")
      }
      return true
    } catch {
      #expect((0...text.utf8.count).contains(error.offset), "seed \(seed): \(text)")
      #expect(!error.description.isEmpty)
      return false
    }
  }

  /// Some of the labels that expressions speak of.
  private static func labels(using random: inout SeededGenerator) -> [String: String] {
    var labels: [String: String] = [:]
    for name in SelectorExpression.names where Bool.random(using: &random) {
      labels[name] = SelectorExpression.values[Int.random(in: SelectorExpression.values.indices, using: &random)]
    }
    return labels
  }
}

extension Character {
  /// White space of the selector language.
  fileprivate var isBlank: Bool { self == " " || self == "\t" }
}
