/// Translates a selector's text into instructions (Calico IPAM specification, section 4.7).
///
/// Parentheses are kept in an array and not on the call stack, so that no text, however deeply nested, exhausts it.
struct SelectorParser {
  private var scanner: SelectorScanner
  private var instructions: [SelectorInstruction] = []
  /// The parenthesis that is open, or the selector as a whole.
  private var group = Group(isNegated: false)
  /// The groups around it, the outermost first.
  private var enclosing: [Group] = []

  /// A sequence of operands, whose skips do not know yet where to go.
  private struct Group {
    /// Whether a `!` stands before the parenthesis.
    let isNegated: Bool
    /// The last `&&` since the last `||`. Until it is resolved its target is the `&&` before, and so on.
    var lastAnd: Int?
    /// The last `||`, likewise.
    var lastOr: Int?
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>) { scanner = SelectorScanner(bytes) }

  /// The whole text's instructions, none if there is nothing but white space.
  mutating func parse() throws(SelectorError) -> [SelectorInstruction] {
    scanner.skipBlanks()
    guard scanner.byte != nil else { return [] }
    instructions.reserveCapacity(4)
    repeat {
      try parseOperand()
    } while try parseConnective()
    return instructions
  }

  /// Reads negations, opening parentheses and the term after them.
  private mutating func parseOperand() throws(SelectorError) {
    var isNegated = false
    while true {
      scanner.skipBlanks()
      if scanner.takeNegation() {
        isNegated.toggle()
      } else if scanner.take("(") {
        enclosing.append(group)
        group = Group(isNegated: isNegated)
        isNegated = false
      } else {
        try parseTerm()
        if isNegated { instructions.append(.negate) }
        return
      }
    }
  }

  /// Reads closing parentheses and what comes after them, and tells whether another operand must follow.
  private mutating func parseConnective() throws(SelectorError) -> Bool {
    while true {
      scanner.skipBlanks()
      if scanner.take("&", "&") {
        group.lastAnd = appendSkip(when: false, after: group.lastAnd)
        return true
      }
      if scanner.take("|", "|") {
        resolve(group.lastAnd)
        group.lastAnd = nil
        group.lastOr = appendSkip(when: true, after: group.lastOr)
        return true
      }
      guard let outer = enclosing.last else {
        guard scanner.byte == nil else { throw scanner.failure(.expectedConnective) }
        closeGroup()
        return false
      }
      guard scanner.take(")") else { throw scanner.failure(.expectedClosingParenthesis) }
      closeGroup()
      group = outer
      enclosing.removeLast()
    }
  }

  /// Adds a skip that is to be resolved together with `previous`.
  private mutating func appendSkip(when condition: Bool, after previous: Int?) -> Int {
    instructions.append(.skip(when: condition, to: previous ?? -1))
    return instructions.count - 1
  }

  /// Lets `last` and all skips that it leads back to go on at the next instruction.
  private mutating func resolve(_ last: Int?) {
    var index = last ?? -1
    while index >= 0, case .skip(let condition, let previous) = instructions[index] {
      instructions[index] = .skip(when: condition, to: instructions.count)
      index = previous
    }
  }

  private mutating func closeGroup() {
    resolve(group.lastAnd)
    resolve(group.lastOr)
    if group.isNegated { instructions.append(.negate) }
  }
}

extension SelectorParser {
  /// Reads a term, beginning with its label or the name of its function.
  private mutating func parseTerm() throws(SelectorError) {
    let word = try scanner.takeIdentifier()
    // A function's name is one only directly before the parenthesis; otherwise it is a label like any other.
    if scanner.byte == UInt8(ascii: "(") {
      switch word {
      case "has": return try parseHas()
      case "all": return try parseFunction(.always)
      case "global": return try parseFunction(.global)
      default: break
      }
    }
    try parseOperator(label: word)
  }

  private mutating func parseFunction(_ instruction: SelectorInstruction) throws(SelectorError) {
    _ = scanner.take("(")
    try closeFunction()
    instructions.append(instruction)
  }

  private mutating func parseHas() throws(SelectorError) {
    _ = scanner.take("(")
    scanner.skipBlanks()
    let label = try scanner.takeIdentifier()
    try closeFunction()
    instructions.append(.has(label: label))
  }

  private mutating func closeFunction() throws(SelectorError) {
    scanner.skipBlanks()
    guard scanner.take(")") else { throw scanner.failure(.expectedClosingParenthesis) }
  }

  /// Reads what follows a label. Only here are the keywords operators.
  private mutating func parseOperator(label: String) throws(SelectorError) {
    scanner.skipBlanks()
    if scanner.take("=", "=") { return try parseComparison(.equals, label: label) }
    if scanner.take("!", "=") {
      try parseComparison(.equals, label: label)
      return instructions.append(.negate)
    }
    let beforeKeyword = scanner
    switch takeKeyword() {
    case "in": try parseSet(label: label)
    case "notin":
      try parseSet(label: label)
      instructions.append(.negate)
    case "contains": try parseComparison(.contains, label: label)
    case "startswith": try parseComparison(.startsWith, label: label)
    case "endswith": try parseComparison(.endsWith, label: label)
    default: throw beforeKeyword.failure(.expectedOperator(label: label))
    }
  }

  /// Reads a word; the two words of an operator are put together.
  private mutating func takeKeyword() -> String {
    let word = scanner.takeWord()
    guard word == "not" || word == "starts" || word == "ends" else { return word }
    scanner.skipBlanks()
    return word + scanner.takeWord()
  }

  private mutating func parseComparison(
    _ comparison: SelectorInstruction.Comparison, label: String
  ) throws(SelectorError) {
    scanner.skipBlanks()
    let value = try scanner.takeString()
    instructions.append(.compare(comparison, label: label, value: value))
  }

  /// Reads `{}`, `{'a'}`, `{'a', 'b'}` and so on.
  private mutating func parseSet(label: String) throws(SelectorError) {
    scanner.skipBlanks()
    guard scanner.take("{") else { throw scanner.failure(.expectedSet) }
    var values: [String] = []
    scanner.skipBlanks()
    if !scanner.take("}") {
      repeat {
        scanner.skipBlanks()
        values.append(try scanner.takeString())
        scanner.skipBlanks()
      } while scanner.take(",")
      guard scanner.take("}") else { throw scanner.failure(.expectedEndOfSet) }
    }
    instructions.append(.isMember(label: label, values: values))
  }
}
