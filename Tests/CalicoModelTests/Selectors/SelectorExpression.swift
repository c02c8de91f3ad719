import TestSupport

/// The tree that a selector stands for, evaluated without any of the parser's code.
indirect enum SelectorExpression {
  case all
  case has(String)
  case equal(String, String)
  case different(String, String)
  case member(String, [String])
  case notMember(String, [String])
  case contains(String, String)
  case starts(String, String)
  case ends(String, String)
  case not(SelectorExpression)
  case and([SelectorExpression])
  case or([SelectorExpression])

  static let names = [
    "a", "b", "in", "not", "has", "contains", "starts", "all", "x.y/z-1_2", "9", "-a-longer-label-name",
  ]
  static let values = ["", "a", "b", "ab", "abab", "\u{E9}", "e\u{301}", "'", "\"", "(", " && ", "\\", "\n"]

  func holds(_ labels: [String: String]) -> Bool {
    func bytes(_ name: String) -> [UInt8]? { labels[name].map { Array($0.utf8) } }
    switch self {
    case .all: return true
    case .has(let name): return bytes(name) != nil
    case .equal(let name, let value): return bytes(name) == Array(value.utf8)
    case .different(let name, let value): return bytes(name) != Array(value.utf8)
    case .member(let name, let values): return values.contains { bytes(name) == Array($0.utf8) }
    case .notMember(let name, let values): return values.allSatisfy { bytes(name) != Array($0.utf8) }
    case .contains(let name, let value):
      guard let text = bytes(name) else { return false }
      return (0...text.count).contains { text[$0...].starts(with: value.utf8) }
    case .starts(let name, let value): return bytes(name)?.starts(with: value.utf8) ?? false
    case .ends(let name, let value): return bytes(name)?.reversed().starts(with: value.utf8.reversed()) ?? false
    case .not(let operand): return !operand.holds(labels)
    case .and(let operands): return operands.allSatisfy { $0.holds(labels) }
    case .or(let operands): return operands.contains { $0.holds(labels) }
    }
  }
}

extension SelectorExpression {
  /// A tree that has at most `depth` levels above its terms.
  static func random(depth: Int, using random: inout SeededGenerator) -> SelectorExpression {
    guard depth > 0, Int.random(in: 0..<4, using: &random) > 0 else { return term(using: &random) }
    if Int.random(in: 0..<3, using: &random) == 0 { return .not(.random(depth: depth - 1, using: &random)) }
    let count = Int.random(in: 2...4, using: &random)
    let operands = (0..<count).map { _ in SelectorExpression.random(depth: depth - 1, using: &random) }
    return Bool.random(using: &random) ? .and(operands) : .or(operands)
  }

  private static func term(using random: inout SeededGenerator) -> SelectorExpression {
    let name = names[Int.random(in: names.indices, using: &random)]
    let value = values[Int.random(in: values.indices, using: &random)]
    let set = Array(values.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random)))
    switch Int.random(in: 0..<9, using: &random) {
    case 0: return .all
    case 1: return .has(name)
    case 2: return .equal(name, value)
    case 3: return .different(name, value)
    case 4: return .member(name, set)
    case 5: return .notMember(name, set)
    case 6: return .contains(name, value)
    case 7: return .starts(name, value)
    default: return .ends(name, value)
    }
  }
}

extension SelectorExpression {
  /// How tightly an expression holds together.
  private enum Strength: Int { case or, and, operand }

  private var strength: Strength {
    switch self {
    case .or: .or
    case .and: .and
    default: .operand
    }
  }

  /// A text of this tree, with white space and parentheses as chance has it.
  func text(using random: inout SeededGenerator) -> String { text(atLeast: .or, using: &random) }

  private func text(atLeast needed: Strength, using random: inout SeededGenerator) -> String {
    if strength.rawValue < needed.rawValue || Int.random(in: 0..<8, using: &random) == 0 {
      return "(" + blanks(&random) + text(atLeast: .or, using: &random) + blanks(&random) + ")"
    }
    switch self {
    case .all: return "all(" + blanks(&random) + ")"
    case .has(let name): return "has(" + blanks(&random) + name + blanks(&random) + ")"
    case .equal(let name, let value): return name + blanks(&random) + "==" + quoted(value, &random)
    case .different(let name, let value): return name + blanks(&random) + "!=" + quoted(value, &random)
    case .member(let name, let values): return name + gap(&random) + "in" + set(values, &random)
    case .notMember(let name, let values):
      return name + gap(&random) + "not" + blanks(&random) + "in" + set(values, &random)
    case .contains(let name, let value): return name + gap(&random) + "contains" + quoted(value, &random)
    case .starts(let name, let value):
      return name + gap(&random) + "starts" + blanks(&random) + "with" + quoted(value, &random)
    case .ends(let name, let value):
      return name + gap(&random) + "ends" + blanks(&random) + "with" + quoted(value, &random)
    case .not(let operand): return "!" + blanks(&random) + operand.text(atLeast: .operand, using: &random)
    case .and(let operands): return joined(operands, by: "&&", atLeast: .and, &random)
    case .or(let operands): return joined(operands, by: "||", atLeast: .or, &random)
    }
  }

  private func joined(
    _ operands: [SelectorExpression], by connective: String, atLeast needed: Strength, _ random: inout SeededGenerator
  ) -> String {
    var text = ""
    for operand in operands {
      if !text.isEmpty { text += blanks(&random) + connective + blanks(&random) }
      text += operand.text(atLeast: needed, using: &random)
    }
    return text
  }

  private func set(_ values: [String], _ random: inout SeededGenerator) -> String {
    var text = ""
    for value in values { text += (text.isEmpty ? "" : ",") + quoted(value, &random) + blanks(&random) }
    return blanks(&random) + "{" + text + blanks(&random) + "}"
  }

  private func quoted(_ value: String, _ random: inout SeededGenerator) -> String {
    let usesDouble = value.contains("'") || (!value.contains("\"") && Bool.random(using: &random))
    let quote = usesDouble ? "\"" : "'"
    return blanks(&random) + quote + value + quote
  }

  private func gap(_ random: inout SeededGenerator) -> String { blanks(&random) + " " + blanks(&random) }

  private func blanks(_ random: inout SeededGenerator) -> String {
    ["", "", " ", "\t", " \t "][Int.random(in: 0..<5, using: &random)]
  }
}
