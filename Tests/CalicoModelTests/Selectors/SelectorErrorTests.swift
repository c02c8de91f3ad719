import CalicoModel
import Testing

@Suite("Selector errors")
struct SelectorErrorTests {
  @Test(
    "the message names what is missing, and the offset tells where",
    arguments: [
      // Strings.
      ("k == 'v", "unterminated string", 5),
      ("k == \"v'", "unterminated string", 5),
      ("k == '", "unterminated string", 5),
      ("k in {'a', 'b}", "unterminated string", 11),
      ("has(j) || k contains \"", "unterminated string", 21),
      ("'v", "unterminated string", 0),
      ("k 'v", "unterminated string", 2),
      ("k == 'a'b'", "expected && or ||", 8),
      ("k == v", "expected string", 5),
      ("k ==", "expected string", 4),
      ("k != \n'v'", "expected string", 5),
      ("k == {'v'}", "expected string", 5),
      ("k contains v", "expected string", 11),
      ("k starts with", "expected string", 13),
      ("k ends with (", "expected string", 12),
      // Halves of operators.
      ("k = 'v'", "expected ==", 2),
      ("k === 'v'", "expected ==", 4),
      ("k !== 'v'", "expected ==", 4),
      ("= 'v'", "expected ==", 0),
      ("k =", "expected ==", 2),
      ("k == 'v' = 'w'", "expected ==", 9),
      ("has(a) & has(b)", "expected &&", 7),
      ("has(a) &", "expected &&", 7),
      ("(has(a) & has(b))", "expected &&", 8),
      ("has(a) &&& has(b)", "expected &&", 9),
      ("has(a) | has(b)", "expected ||", 7),
      ("has(a) ||| has(b)", "expected ||", 9),
      ("has(a | b)", "expected ||", 6),
      // Labels and their operators.
      ("k", "expected operator after label \"k\"", 1),
      ("k ", "expected operator after label \"k\"", 2),
      ("invalid selector syntax [", "expected operator after label \"invalid\"", 8),
      ("k 'v'", "expected operator after label \"k\"", 2),
      ("k && has(b)", "expected operator after label \"k\"", 2),
      ("(k)", "expected operator after label \"k\"", 2),
      ("k ! 'v'", "expected operator after label \"k\"", 2),
      ("k IN {'v'}", "expected operator after label \"k\"", 2),
      ("k inn {'v'}", "expected operator after label \"k\"", 2),
      ("k not {'v'}", "expected operator after label \"k\"", 2),
      ("k not", "expected operator after label \"k\"", 2),
      ("k not inn {'v'}", "expected operator after label \"k\"", 2),
      ("k not with 'v'", "expected operator after label \"k\"", 2),
      ("k not-in {'v'}", "expected operator after label \"k\"", 2),
      ("k not\nin {'v'}", "expected operator after label \"k\"", 2),
      ("k starts in 'v'", "expected operator after label \"k\"", 2),
      ("k starts 'v'", "expected operator after label \"k\"", 2),
      ("k ends 'v'", "expected operator after label \"k\"", 2),
      ("k con tains 'v'", "expected operator after label \"k\"", 2),
      ("k doesnotcontain 'v'", "expected operator after label \"k\"", 2),
      ("k\n== 'v'", "expected operator after label \"k\"", 1),
      ("k\u{A0}== 'v'", "expected operator after label \"k\"", 1),
      ("has (k)", "expected operator after label \"has\"", 4),
      ("has\t(k)", "expected operator after label \"has\"", 4),
      ("all", "expected operator after label \"all\"", 3),
      ("all ()", "expected operator after label \"all\"", 4),
      ("global ()", "expected operator after label \"global\"", 7),
      ("xhas(k)", "expected operator after label \"xhas\"", 4),
      ("has.(k)", "expected operator after label \"has.\"", 4),
      ("Has(k)", "expected operator after label \"Has\"", 3),
      ("k in in {'in'}", "expected {", 5),
      // Identifiers.
      ("[", "expected identifier", 0),
      ("\n", "expected identifier", 0),
      ("é == 'v'", "expected identifier", 0),
      ("\0", "expected identifier", 0),
      ("'k' == 'v'", "expected identifier", 0),
      ("\"k\" == 'v'", "expected identifier", 0),
      ("== 'v'", "expected identifier", 0),
      ("!= 'v'", "expected identifier", 0),
      ("&& has(k)", "expected identifier", 0),
      ("|| has(k)", "expected identifier", 0),
      (")", "expected identifier", 0),
      ("()", "expected identifier", 1),
      ("(", "expected identifier", 1),
      ("!", "expected identifier", 1),
      ("! ", "expected identifier", 2),
      ("!(", "expected identifier", 2),
      ("has(k) &&", "expected identifier", 9),
      ("has(k) && \t", "expected identifier", 11),
      ("has(k) || || has(k)", "expected identifier", 10),
      ("has()", "expected identifier", 4),
      ("has(", "expected identifier", 4),
      ("has('k')", "expected identifier", 4),
      ("has(!k)", "expected identifier", 4),
      // Sets.
      ("k in", "expected {", 4),
      ("k in 'v'", "expected {", 5),
      ("k in ('v')", "expected {", 5),
      ("k notin ['v']", "expected {", 8),
      ("k in {", "expected string", 6),
      ("k in {v}", "expected string", 6),
      ("k in {,}", "expected string", 6),
      ("k in {'a',}", "expected string", 10),
      ("k in {'a'", "expected , or }", 9),
      ("k in {'a' 'b'}", "expected , or }", 10),
      ("k in {'a')", "expected , or }", 9),
      // Parentheses and what comes after them.
      ("(has(k)", "expected )", 7),
      ("(has(k) ", "expected )", 8),
      ("((has(k))", "expected )", 9),
      ("(has(k) has(j))", "expected )", 8),
      ("(has(k)}", "expected )", 7),
      ("has(k", "expected )", 5),
      ("has(k j)", "expected )", 6),
      ("has(k,j)", "expected )", 5),
      ("has(all())", "expected )", 7),
      ("has(k == 'v')", "expected )", 6),
      ("all(", "expected )", 4),
      ("all(k)", "expected )", 4),
      ("global(k)", "expected )", 7),
      ("has(k))", "expected && or ||", 6),
      ("has(k) has(j)", "expected && or ||", 7),
      ("k == 'v' == 'v'", "expected && or ||", 9),
      ("k == 'v' !has(j)", "expected && or ||", 9),
      ("has(k) in {'v'}", "expected && or ||", 7),
      ("all() and has(k)", "expected && or ||", 6),
      ("all()\n", "expected && or ||", 5),
      ("all(),", "expected && or ||", 5),
      ("all()\0", "expected && or ||", 5),
    ])
  func errors(text: String, message: String, offset: Int) {
    let error = #expect(throws: SelectorError.self) { try Selector(text) }
    #expect(error?.description == message)
    #expect(error?.offset == offset)
  }

  @Test("a label of more than 512 characters is refused", arguments: [513, 514, 5000])
  func labelTooLong(count: Int) {
    let label = String(repeating: "x", count: count)
    for (text, offset) in [("has(k) || \(label) == 'v'", 10), ("has( \(label))", 5), (label, 0)] {
      let error = #expect(throws: SelectorError.self) { try Selector(text) }
      #expect(error?.code == .labelTooLong(label))
      #expect(error?.description == "label too long: \(label)")
      #expect(error?.offset == offset)
    }
  }

  @Test("a caller can switch on the code")
  func codes() {
    let codes: [(String, SelectorError.Code)] = [
      ("k == 'v", .unterminatedString), ("k = 'v'", .expectedEquality), ("all() & all()", .expectedAnd),
      ("all() | all()", .expectedOr), ("a.b", .expectedOperator(label: "a.b")), ("[", .expectedIdentifier),
      ("k == v", .expectedString), ("k in 'v'", .expectedSet), ("k in {'v'", .expectedEndOfSet),
      ("all(", .expectedClosingParenthesis), ("all() all()", .expectedConnective),
    ]
    for (text, code) in codes {
      #expect(#expect(throws: SelectorError.self) { try Selector(text) }?.code == code)
    }
  }

  @Test("unclosed parentheses are an error at any depth", arguments: [1, 1024, 100_000])
  func depth(count: Int) {
    for unit in ["(", "!", "!(", "has(k)&&("] {
      let text = String(repeating: unit, count: count)
      let error = #expect(throws: SelectorError.self) { try Selector(text) }
      #expect(error?.code == .expectedIdentifier)
      #expect(error?.offset == text.utf8.count)
    }
    let unclosed = String(repeating: "(", count: count) + "all()"
    #expect(#expect(throws: SelectorError.self) { try Selector(unclosed) }?.code == .expectedClosingParenthesis)
  }
}
