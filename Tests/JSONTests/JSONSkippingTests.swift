import JSON
import TestSupport
import Testing

/// The error with which skipping a whole document ends, or nil.
private func skipError(of document: [UInt8]) -> JSONError? {
  do throws(JSONError) {
    try JSONReader.read(document) { reader throws(JSONError) in _ = try reader.skipValue() }
    return nil
  } catch {
    return error
  }
}

@Suite("Skipping and parsing")
struct JSONSkippingTests {
  private static let alphabet =
    Array(#"{}[]:,"\/ue+-.019 truefalsn"#.utf8) + [0x00, 0x0A, 0x1F, 0x7F, 0x80, 0xC3, 0xFF]

  @Test(
    "what is skipped is refused where parsing refuses it, in mutated documents", arguments: [nil, 1, 2] as [UInt64?])
  func mutations(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    var accepted = 0
    for round in 0..<10_000 {
      var document = Array(Sample.all[round % Sample.all.count].utf8)
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: document.indices, using: &generator)
        let byte = Self.alphabet.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: document[index] = byte
        case 1: document.insert(byte, at: index)
        case 2: document.remove(at: index)
        default: document.removeSubrange(index...)
        }
        if document.isEmpty { document = [byte] }
      }
      let expected = parseError(of: document)
      if expected == nil { accepted += 1 }
      let found = skipError(of: document)
      if found != expected {
        let text = String(decoding: document, as: UTF8.self)
        Issue.record("\(found.debugDescription), seed \(seed), round \(round): \(text)")
      }
    }
    #expect(accepted > 100, "hardly any mutation is well-formed; seed \(seed)")
  }

  @Test("what is skipped is refused where parsing refuses it, in random bytes", arguments: [nil, 1] as [UInt64?])
  func randomBytes(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let pieces = ["{", "}", "[", "]", ",", ":", "\"a\"", "1", "-0.5e1", "true", "null", " ", "\"", "0", "\"\\u12\""]
    var accepted = 0
    for round in 0..<20_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...6, using: &generator) { text += pieces.randomElement(using: &generator) ?? "" }
      let expected = parseError(of: text)
      if expected == nil { accepted += 1 }
      #expect(skipError(of: Array(text.utf8)) == expected, "seed \(seed), round \(round): \(text)")
    }
    #expect(accepted > 100, "hardly any text is well-formed; seed \(seed)")
  }

  @Test("the limit of depth is that of parsing", arguments: [("[", "]"), (#"{"a":"#, "}")])
  func depth(open: String, close: String) {
    for depth in [9_999, 10_000, 10_001, 20_000] {
      let text = String(repeating: open, count: depth - 1) + "[]" + String(repeating: close, count: depth - 1)
      let error = skipError(of: Array(text.utf8))
      #expect(error == parseError(of: text))
      #expect((error == nil) == (depth <= 10_000))
    }
  }
}

@Suite("Writing without a tree")
struct JSONWriterTests {
  @Test("pieces are put together as they are")
  func pieces() {
    var writer = JSONWriter(reservingCapacity: 8)
    writer.literal("{\"a\":")
    writer.bool(true)
    writer.literal(",\"b\":")
    writer.bool(false)
    writer.raw(Array(#","c":[ ]"#.utf8)[...])
    writer.literal("}")
    #expect(writer.bytes == Array(#"{"a":true,"b":false,"c":[ ]}"#.utf8))
  }

  @Test("an integer of any width is written whole")
  func integers() {
    func text(_ write: (inout JSONWriter) -> Void) -> String {
      var writer = JSONWriter()
      write(&writer)
      return String(decoding: writer.bytes, as: UTF8.self)
    }
    #expect(text { $0.integer(UInt64.max) } == "18446744073709551615")
    #expect(text { $0.integer(Int64.min) } == "-9223372036854775808")
    #expect(text { $0.integer(0) } == "0")
    #expect(text { $0.integer(Int8.min) } == "-128")
    for number in [1, 9, 10, 99, 100, 1_000_000, 1_234_567_890] {
      #expect(text { $0.integer(number) } == String(number))
    }
    let both = text { writer in
      writer.integer(1)
      writer.integer(20)
    }
    #expect(both == "120")
  }

  @Test("a string is escaped as the tree's printer escapes it")
  func strings() {
    for string in ["", "a\"b\\c/", "<>&\u{2028}\u{2029}", "\u{0}\u{1F}\n\t", "é漢😀", "\u{7F}\u{FFFD}"] {
      var writer = JSONWriter()
      writer.string(string)
      #expect(writer.bytes == JSON.string(string).encoded())
    }
  }
}
