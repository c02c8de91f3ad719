import CalicoModel
import Testing

@Suite("Selectors as values")
struct SelectorTests {
  @Test(
    "the description is the text as given",
    arguments: ["", " \t", "all()", " all( ) ", "k=='v'", "a  not\tin{'x' ,\"y\"}", "( ( has( k ) ) )"])
  func description(text: String) throws {
    #expect(try Selector(text).description == text)
    #expect("\(try Selector(text))" == text)
  }

  @Test("the constant for all labels is what its text parses to")
  func all() throws {
    #expect(Selector.all == (try Selector("all()")))
    #expect(Selector.all.description == "all()")
    #expect(Selector.all.matches([:]))
    #expect(Selector.all.matches(["k": "v"]))
    #expect(!Selector.all.usesGlobal)
  }

  @Test("selectors are equal if their texts are the same bytes")
  func equality() throws {
    let selector = try Selector("k == 'v'")
    #expect(selector == (try Selector("k == 'v'")))
    #expect(selector.hashValue == (try Selector("k == 'v'")).hashValue)
    #expect(selector != (try Selector("k=='v'")))
    #expect(selector != (try Selector("k != 'v'")))
    #expect(try Selector("k == '\u{E9}'") != Selector("k == 'e\u{301}'"))
    #expect(Set([selector, try Selector("k == 'v'"), .all]).count == 2)
  }

  @Test(
    "global() is noticed wherever it is an operator",
    arguments: ["global()", "!global()", "has(k) && (a == 'b' || global( ))", "global() || all()"])
  func global(text: String) throws {
    #expect(try Selector(text).usesGlobal)
  }

  @Test(
    "global is noticed nowhere else",
    arguments: [
      "", "all()", "all( )", "all() && all()", "global == 'x'", "k == 'global()'", "has(global)", "k in {'global('}",
    ])
  func notGlobal(text: String) throws {
    #expect(!(try Selector(text).usesGlobal))
  }

  @Test("global() matches what is in no namespace")
  func globalMatches() throws {
    let selector = try Selector("global()")
    #expect(selector.matches([:]))
    #expect(selector.matches(["k": "v", "namespace": "web"]))
    #expect(!selector.matches(["projectcalico.org/namespace": "web"]))
    #expect(!selector.matches(["projectcalico.org/namespace": ""]))
    #expect(try Selector("!global()").matches(["projectcalico.org/namespace": "web"]))
  }
}
