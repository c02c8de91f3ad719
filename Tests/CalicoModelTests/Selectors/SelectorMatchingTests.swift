import CalicoModel
import Testing

@Suite("Selectors and labels")
struct SelectorMatchingTests {
  /// How one selector fares with the label `k` absent, empty and at several values.
  struct Row: Sendable, CustomTestStringConvertible {
    var selector: String
    var absent: Bool
    var matching: [String]
    var mismatching: [String]
    var testDescription: String { selector }
  }

  @Test(
    "each term knows absent, matching and other values",
    arguments: [
      Row(selector: "", absent: true, matching: ["", "v"], mismatching: []),
      Row(selector: "\t ", absent: true, matching: ["", "v"], mismatching: []),
      Row(selector: "all()", absent: true, matching: ["", "v"], mismatching: []),
      Row(selector: "!all()", absent: false, matching: [], mismatching: ["", "v"]),
      Row(selector: "has(k)", absent: false, matching: ["", "v"], mismatching: []),
      Row(selector: "!has(k)", absent: true, matching: [], mismatching: ["", "v"]),
      Row(selector: "k == 'v'", absent: false, matching: ["v"], mismatching: ["", "V", "vv", "v ", " v", "w"]),
      Row(selector: "!k == 'v'", absent: true, matching: ["", "w"], mismatching: ["v"]),
      Row(selector: "k == ''", absent: false, matching: [""], mismatching: ["v"]),
      Row(selector: "k != 'v'", absent: true, matching: ["", "V", "vv"], mismatching: ["v"]),
      Row(selector: "!k != 'v'", absent: false, matching: ["v"], mismatching: ["", "w"]),
      Row(selector: "k != ''", absent: true, matching: ["v"], mismatching: [""]),
      Row(selector: "k in {}", absent: false, matching: [], mismatching: ["", "v"]),
      Row(selector: "k in {''}", absent: false, matching: [""], mismatching: ["v"]),
      Row(selector: "k in {'a'}", absent: false, matching: ["a"], mismatching: ["", "b", "aa"]),
      Row(selector: "k in {'a', 'b', 'a'}", absent: false, matching: ["a", "b"], mismatching: ["", "c", "ab"]),
      Row(selector: "k not in {}", absent: true, matching: ["", "v"], mismatching: []),
      Row(selector: "k not in {'a', 'b'}", absent: true, matching: ["", "c", "ab"], mismatching: ["a", "b"]),
      Row(selector: "!k not in {'a'}", absent: false, matching: ["a"], mismatching: ["", "b"]),
      Row(selector: "k contains ''", absent: false, matching: ["", "v"], mismatching: []),
      Row(
        selector: "k contains 'ab'", absent: false, matching: ["ab", "xab", "abx", "xabx", "aab", "aabb"],
        mismatching: ["", "a", "b", "ba", "a-b", "AB"]),
      Row(selector: "k starts with ''", absent: false, matching: ["", "v"], mismatching: []),
      Row(
        selector: "k starts with 'ab'", absent: false, matching: ["ab", "abx", "abab"],
        mismatching: ["", "a", "aab", "xab", "ba", "Ab"]),
      Row(selector: "k ends with ''", absent: false, matching: ["", "v"], mismatching: []),
      Row(
        selector: "k ends with 'ab'", absent: false, matching: ["ab", "xab", "abab"],
        mismatching: ["", "b", "abb", "abx", "ba", "aB"]),
      Row(
        selector: "k == 'a long value, which no word of a machine holds'", absent: false,
        matching: ["a long value, which no word of a machine holds"],
        mismatching: ["a long value, which no word of a machine holdS", "a long value"]),
    ])
  func terms(row: Row) throws {
    let selector = try Selector(row.selector)
    #expect(selector.matches([:]) == row.absent)
    #expect(selector.matches(["other": "v", "K": "v", "kk": "v"]) == row.absent)
    for value in row.matching { #expect(selector.matches(["k": value, "other": "-"]), "\(value)") }
    for value in row.mismatching { #expect(!selector.matches(["k": value, "other": "-"]), "\(value)") }
  }

  @Test("texts that are canonically equivalent are different values")
  func equivalence() throws {
    let composed = "\u{E9}"
    let decomposed = "e\u{301}"
    for (mine, other) in [(composed, decomposed), (decomposed, composed), ("a\u{323}\u{307}", "a\u{307}\u{323}")] {
      #expect(try Selector("k == '\(mine)'").matches(["k": mine]))
      #expect(try !Selector("k == '\(mine)'").matches(["k": other]))
      #expect(try Selector("k in {'\(mine)'}").matches(["k": mine]))
      #expect(try Selector("k not in {'\(mine)'}").matches(["k": other]))
    }
    #expect(try Selector("k starts with 'e'").matches(["k": decomposed]))
    #expect(try Selector("k ends with '\u{301}'").matches(["k": decomposed]))
    #expect(try Selector("k contains 'e'").matches(["k": decomposed]))
  }

  @Test("the Kelvin sign is not the label K")
  func kelvin() throws {
    #expect(try Selector("has(K)").matches(["K": ""]))
    #expect(try !Selector("has(K)").matches(["\u{212A}": ""]))
    #expect(try Selector("K != 'v'").matches(["\u{212A}": "v"]))
  }

  /// How a selector of three labels fares with those that are present.
  @Test(
    "negation binds tighter than and, and that tighter than or",
    arguments: [
      ("has(a) && has(b)", ["ab", "abc"]),
      ("has(a) || has(b)", ["a", "b", "ab", "ac", "bc", "abc"]),
      ("has(a) || has(b) && has(c)", ["a", "ab", "ac", "bc", "abc"]),
      ("has(a) && has(b) || has(c)", ["c", "ab", "ac", "bc", "abc"]),
      ("(has(a) || has(b)) && has(c)", ["ac", "bc", "abc"]),
      ("has(a) && (has(b) || has(c))", ["ab", "ac", "abc"]),
      ("!has(a) && has(b)", ["b", "bc"]),
      ("!has(a) || has(b)", ["", "b", "c", "ab", "bc", "abc"]),
      ("!(has(a) && has(b))", ["", "a", "b", "c", "ac", "bc"]),
      ("!(has(a) || has(b))", ["", "c"]),
      ("!(has(a) || has(b)) && has(c)", ["c"]),
      ("!(has(a) || has(b)) || has(c)", ["", "c", "ac", "bc", "abc"]),
      ("has(a) && !(has(b) && !has(c))", ["a", "ac", "abc"]),
      ("!!has(a)", ["a", "ab", "ac", "abc"]),
      ("! ! !has(a)", ["", "b", "c", "bc"]),
      ("!(!has(a))", ["a", "ab", "ac", "abc"]),
      ("!!(has(a) && has(b))", ["ab", "abc"]),
      ("has(a) && has(b) && has(c)", ["abc"]),
      ("has(a) || has(b) || has(c)", ["a", "b", "c", "ab", "ac", "bc", "abc"]),
      ("has(a) && has(b) || !has(a) && has(c) || has(b) && has(c)", ["c", "ab", "bc", "abc"]),
      ("((has(a)))", ["a", "ab", "ac", "abc"]),
      ("all() && has(a)", ["a", "ab", "ac", "abc"]),
      ("has(a) || all()", ["", "a", "b", "c", "ab", "ac", "bc", "abc"]),
      ("has(a) && !all()", []),
    ])
  func precedence(text: String, matching: [String]) throws {
    let selector = try Selector(text)
    let present = ["", "a", "b", "c", "ab", "ac", "bc", "abc"].filter { letters in
      selector.matches(Dictionary(uniqueKeysWithValues: letters.map { (String($0), "") }))
    }
    #expect(present == matching)
  }
}
