import CNI
import Testing

@Suite("Splitting CNI_ARGS")
struct CNIArgumentsTests {
  /// The pieces as text: `key|value|quoted` for a pair, `!quoted` for an invalid piece.
  private static func pieces(_ text: String) -> [String] {
    pieces(Array(text.utf8))
  }

  private static func pieces(_ bytes: [UInt8]) -> [String] {
    CNIArguments(bytes).pieces.map { piece in
      switch piece {
      case .invalid(let quoted): "!\(quoted)"
      case .pair(let pair):
        "\(String(decoding: pair.key, as: UTF8.self))|\(String(decoding: pair.value, as: UTF8.self))|\(pair.quoted)"
      }
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var pieces: [String]
    var testDescription: String { text.debugDescription }
  }

  @Test(
    "pairs are split at semicolons and at their one equals sign",
    arguments: [
      Case(text: "", pieces: []),
      Case(text: "IP=10.1.2.3", pieces: [#"IP|10.1.2.3|"IP=10.1.2.3""#]),
      Case(text: "A=1;B=2", pieces: [#"A|1|"A=1""#, #"B|2|"B=2""#]),
      Case(text: "B=2;A=1;B=3", pieces: [#"B|2|"B=2""#, #"A|1|"A=1""#, #"B|3|"B=3""#]),
      Case(text: "A=", pieces: [#"A||"A=""#]),
      Case(text: "=1", pieces: [#"|1|"=1""#]),
      Case(text: "=", pieces: [#"||"=""#]),
      Case(text: " A = 1 ", pieces: [#" A | 1 |" A = 1 ""#]),
      Case(text: "A=\"x\"\n", pieces: ["A|\"x\"\n|" + #""A=\"x\"\n""#]),
    ])
  func pairs(example: Case) {
    #expect(Self.pieces(example.text) == example.pieces)
  }

  @Test(
    "a piece without exactly one equals sign is invalid, also an empty one",
    arguments: [
      Case(text: "A", pieces: [#"!"A""#]),
      Case(text: "A=1=2", pieces: [#"!"A=1=2""#]),
      Case(text: "==", pieces: [#"!"==""#]),
      Case(text: "A=1;", pieces: [#"A|1|"A=1""#, #"!"""#]),
      Case(text: ";A=1", pieces: [#"!"""#, #"A|1|"A=1""#]),
      Case(text: "A=1;;B=2", pieces: [#"A|1|"A=1""#, #"!"""#, #"B|2|"B=2""#]),
      Case(text: ";", pieces: [#"!"""#, #"!"""#]),
      Case(text: "A=1,B=2", pieces: [#"!"A=1,B=2""#]),
      Case(text: "a\"\\\n", pieces: [#"!"a\"\\\n""#]),
    ])
  func invalid(example: Case) {
    #expect(Self.pieces(example.text) == example.pieces)
  }

  @Test("bytes that are not UTF-8 are kept and quoted")
  func bytes() throws {
    #expect(Self.pieces([0x41, 0x3D, 0xFF]) == ["A|\u{FFFD}|" + #""A=\xff""#])
    #expect(Self.pieces([0xFF]) == [#"!"\xff""#])
    guard case .pair(let pair) = try #require(CNIArguments([0x41, 0x3D, 0xFF]).pieces.first) else {
      Issue.record("not a pair")
      return
    }
    #expect(Array(pair.value) == [0xFF])
    #expect(Array(pair.text) == [0x41, 0x3D, 0xFF])
  }

  @Test("a key is itself only in its own case and whole")
  func keys() throws {
    func key(_ text: String, isNamed name: StaticString) throws -> Bool {
      guard case .pair(let pair) = try #require(CNIArguments(Array("\(text)=1".utf8)).pieces.first) else {
        return false
      }
      return pair.hasKey(name)
    }
    #expect(try key("IP", isNamed: "IP"))
    #expect(try !key("ip", isNamed: "IP"))
    #expect(try !key("Ip", isNamed: "IP"))
    #expect(try !key("IPS", isNamed: "IP"))
    #expect(try !key("I", isNamed: "IP"))
    #expect(try !key("", isNamed: "IP"))
    #expect(try !key(" IP", isNamed: "IP"))
    #expect(try key("IgnoreUnknown", isNamed: "IgnoreUnknown"))
    #expect(try !key("ignoreunknown", isNamed: "IgnoreUnknown"))
  }
}
