import CalicoModel
import IPAddressing
import Testing

@testable import PoolMap

@Suite("A map as text")
struct TextDrawingTests {
  private let plain = TextStyle(hasUnicode: false, hasColours: false)

  @Test("has the addresses of a small pool row by row, and a legend with the sums")
  func addresses() throws {
    #expect(
      TextDrawing(try Example.small(), plain, .addresses).text == """
        IP pool lan
        10.65.0.0/26, room for 8 blocks of 8 addresses
        4 blocks exist, held by 3 nodes

          10.65.0.0/29   # # # # # . . .  node-1: 5 of 8 in use
          10.65.0.8/29   # # # # # # b b  node-2: 8 of 8 in use, 2 of them borrowed
          10.65.0.16/29  . . . . . . . .  no block: 8 free
          10.65.0.24/29  o o o o o o o o  node-3: empty, 8 free
          10.65.0.32/29  # # ~ ~ . . . .  node-1: 2 of 8 in use, 2 cooling down
          10.65.0.40/29  . . . . . . . .  no block: 8 free
          10.65.0.48/29  . . . . . . . .  no block: 8 free
          10.65.0.56/29  . . . . x x x x  no block: none of 8 in use, 4 reserved

             USE            ADDRESSES   SHARE
          .  free                  35  54.7 %
          o  affine, empty          8  12.5 %
          #  used                  13  20.3 %
          b  borrowed               2   3.1 %
          ~  cooling down           2   3.1 %
          x  reserved               4   6.3 %
             all                   64

        """)
  }

  @Test("has the blocks of a pool, full ones told from others")
  func blocks() throws {
    let blocks = try [Example.block("10.65.0.0/26", "a", pods: 64), Example.block("10.65.0.128/26", "b", pods: 1)]
    let map = try Example.map(Example.pool("10.65.0.0/22", 26), blocks)
    let lines = TextDrawing(map, plain, .blocks).text.split(separator: "\n").map(String.init)
    #expect(lines[3] == "  10.65.0.0  # . + . . . . . . . . . . . . .")
    #expect(lines.contains("  + #  used                  65   6.3 %       2"))
    let unicode = TextDrawing(map, TextStyle(hasUnicode: true, hasColours: false), .blocks).text
    #expect(unicode.contains("  10.65.0.0  █ · ▁ · ·"))
  }

  @Test("has longer rows where there is room", arguments: [(60, 16), (80, 32), (200, 64)])
  func width(_ width: Int, _ columns: Int) throws {
    let map = try Example.map(Example.pool("10.65.0.0/14", 26), [])
    let text = TextDrawing(map, TextStyle(hasUnicode: false, hasColours: false, width: width), .blocks).text
    let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("  10.64.0.0") })
    #expect(row.count { $0 == "." } == columns + 3)
    #expect(row.utf8.count <= max(width, 60))
  }

  @Test("has a character of its own for each use, in both alphabets")
  func characters() {
    for style in [plain, TextStyle(hasUnicode: true, hasColours: true)] {
      #expect(Set(AddressUse.allCases.map { style.symbol($0) }).count == AddressUse.allCases.count)
    }
    #expect(AddressUse.allCases.allSatisfy { plain.symbol($0).isASCII })
  }

  @Test("is ASCII where nothing else can be shown, and has no escape sequences where there are no colours")
  func ascii() throws {
    let map = try Example.map(Example.pool("2001:db8::/32", 122), [Example.block("2001:db8::/122", "node-1", pods: 9)])
    for detail in [MapDetail.blocks, .addresses] {
      let text = TextDrawing(map, plain, detail).text
      #expect(text.utf8.allSatisfy { $0 == 10 || (32..<127).contains($0) })
    }
  }

  @Test("in colours says the same without them")
  func colours() throws {
    let map = try Example.picture()
    let painted = TextDrawing(map, TextStyle(hasUnicode: true, hasColours: true), .blocks).text
    let unpainted = TextDrawing(map, TextStyle(hasUnicode: true, hasColours: false), .blocks).text
    #expect(painted.contains("\u{1b}[38;5;32m"))
    #expect(painted.replacing(/\u{1b}\[[0-9;]*m/, with: "") == unpainted)
  }

  @Test("says what it does not show")
  func limits() throws {
    let map = try Example.map(Example.pool("2001:db8::/32", 122), [])
    let text = TextDrawing(map, plain, .blocks).text
    #expect(text.contains("The pool has room for 2^90 blocks, more than can be drawn. None exists yet."))
  }

  @Test("shows control characters of names, and does not send them to the terminal")
  func hostile() throws {
    let pool = try Example.pool("10.65.0.0/26", 29, name: "a\u{1b}]0;x\u{7}\u{202e}")
    let map = try Example.map(pool, [Example.block("10.65.0.0/29", "n\u{1b}[2J", pods: 1)])
    let text = TextDrawing(map, plain, .addresses).text
    #expect(text.contains(#"IP pool a\x1b]0;x\x07\u{202e}"#))
    #expect(text.contains(#"n\x1b[2J: 1 of 8 in use"#))
    #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 0x202e })
  }
}

@Suite("Numbers")
struct NumberTextTests {
  @Test(
    "are grouped, and very large ones are powers of two",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (65_536, "65,536"), (1_234_567, "1,234,567"),
      (1 << 64, "2^64"), ((1 << 96) - 64, "about 2^96"), ((1 << 64) + 5, "about 2^64"), (.max, "2^128"),
    ] as [(UInt128, String)])
  func counts(_ number: UInt128, _ text: String) {
    #expect(NumberText.count(number) == text)
  }

  @Test(
    "as shares deny nothing that there is",
    arguments: [
      (0, 64, "0 %"), (64, 64, "100 %"), (1, 3, "33.3 %"), (1, 100_000, "<0.1 %"), (99_999, 100_000, ">99.9 %"),
      (0, 0, "0 %"), (1, .max, "<0.1 %"),
    ] as [(UInt128, UInt128, String)])
  func shares(_ part: UInt128, _ whole: UInt128, _ text: String) {
    #expect(NumberText.share(part, of: whole) == text)
  }

  @Test("have their nouns in the singular where that is right")
  func nouns() {
    #expect(NumberText.count(1, "block") == "1 block")
    #expect(NumberText.count(2, "address", "addresses") == "2 addresses")
  }
}
