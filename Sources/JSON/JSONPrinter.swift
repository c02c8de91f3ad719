/// Writes values as text; like the parser, it keeps its own stack of open containers.
struct JSONPrinter {
  private enum Children {
    case elements([JSON])
    case members([JSONObject.Member])

    var count: Int {
      switch self {
      case .elements(let elements): elements.count
      case .members(let members): members.count
      }
    }
  }

  private struct Container {
    var children: Children
    var written = 0
  }

  private let format: JSONFormat
  private var open: [Container] = []
  /// What was written so far.
  var output: [UInt8] = []

  init(format: JSONFormat) {
    self.format = format
  }

  /// Appends a whole value to the output.
  mutating func print(_ value: JSON) {
    begin(value)
    while let container = open.last {
      let index = container.written
      guard index < container.children.count else {
        end(container)
        continue
      }
      open[open.count - 1].written += 1
      if index > 0 {
        output.append(UInt8(ascii: ","))
      }
      startLine()
      switch container.children {
      case .elements(let elements):
        begin(elements[index])
      case .members(let members):
        write(members[index].key)
        output.append(UInt8(ascii: ":"))
        if format.indentation != nil {
          output.append(UInt8(ascii: " "))
        }
        begin(members[index].value)
      }
    }
  }

  /// Writes a scalar or an empty container whole, and of any other container the opening bracket.
  private mutating func begin(_ value: JSON) {
    switch value {
    case .null:
      output.append(contentsOf: "null".utf8)
    case .bool(let bool):
      output.append(contentsOf: bool ? "true".utf8 : "false".utf8)
    case .number(let number):
      output.append(contentsOf: number.literal.utf8)
    case .string(let string):
      write(string)
    case .array(let elements) where elements.isEmpty:
      output.append(contentsOf: "[]".utf8)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      open.append(Container(children: .elements(elements)))
    case .object(let object) where object.members.isEmpty:
      output.append(contentsOf: "{}".utf8)
    case .object(let object):
      output.append(UInt8(ascii: "{"))
      open.append(Container(children: .members(format.sortsKeys ? sorted(object.members) : object.members)))
    }
  }

  private mutating func end(_ container: Container) {
    open.removeLast()
    startLine()
    switch container.children {
    case .elements: output.append(UInt8(ascii: "]"))
    case .members: output.append(UInt8(ascii: "}"))
    }
  }

  private mutating func startLine() {
    guard let indentation = format.indentation else { return }
    output.append(UInt8(ascii: "\n"))
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(0, indentation) * open.count))
  }

  /// Sorts by key; the offsets keep members of equal keys in order, which `sorted` alone does not promise.
  private func sorted(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
    let order = members.indices.sorted { left, right in
      let (leftKey, rightKey) = (members[left].key.utf8, members[right].key.utf8)
      if leftKey.lexicographicallyPrecedes(rightKey) { return true }
      return left < right && !rightKey.lexicographicallyPrecedes(leftKey)
    }
    return order.map { members[$0] }
  }
}

// MARK: - Strings

extension JSONPrinter {
  mutating func write(_ string: String) {
    output.append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { bytes in
      var start = 0
      var index = 0
      while index < bytes.count {
        let length = escapedLength(bytes, at: index)
        if length > 0 {
          output.append(contentsOf: bytes[start..<index])
          writeEscape(bytes, at: index)
          start = index + length
        }
        index += max(1, length)
      }
      output.append(contentsOf: bytes[start...])
    }
    output.append(UInt8(ascii: "\""))
  }

  /// The number of bytes of the character at an index if it must be escaped, else 0.
  ///
  /// `<`, `>`, `&` and the two line separators are escaped as Go does it for text inside HTML and JavaScript. A Swift
  /// string is well-formed, so the first byte tells that the others are there.
  private func escapedLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
    switch bytes[index] {
    case ..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
      1
    case 0xE2 where bytes[index + 1] == 0x80 && bytes[index + 2] & 0xFE == 0xA8:
      3
    case 0xEF where format.escapesReplacementCharacter && bytes[index + 1] == 0xBF && bytes[index + 2] == 0xBD:
      3
    default:
      0
    }
  }

  private mutating func writeEscape(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) {
    switch bytes[index] {
    case UInt8(ascii: "\""): output.append(contentsOf: #"\""#.utf8)
    case UInt8(ascii: "\\"): output.append(contentsOf: #"\\"#.utf8)
    case 0x08: output.append(contentsOf: #"\b"#.utf8)
    case 0x09: output.append(contentsOf: #"\t"#.utf8)
    case 0x0A: output.append(contentsOf: #"\n"#.utf8)
    case 0x0C: output.append(contentsOf: #"\f"#.utf8)
    case 0x0D: output.append(contentsOf: #"\r"#.utf8)
    case 0xE2: output.append(contentsOf: bytes[index + 2] == 0xA8 ? #"\u2028"#.utf8 : #"\u2029"#.utf8)
    case 0xEF: output.append(contentsOf: #"\ufffd"#.utf8)
    case let byte:
      let digits: StaticString = "0123456789abcdef"
      output.append(contentsOf: #"\u00"#.utf8)
      output.append(digits.utf8Start[Int(byte >> 4)])
      output.append(digits.utf8Start[Int(byte & 0xF)])
    }
  }
}
