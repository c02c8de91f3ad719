/// One step of a parsed selector.
///
/// A selector is a list of steps that share a single truth value, the outcome of the operand last looked at. A term
/// sets it, a negation turns it over, a skip acts on it, and what the last step leaves is the answer. Skips lead
/// forward only, so that a list is done after at most as many steps as it has, without a stack:
///
///     !(a == '1' && has(b)) || c == '2'
///
///     0  compare a equals '1'
///     1  skip to 3 when false
///     2  has b
///     3  negate
///     4  skip to 6 when true
///     5  compare c equals '2'
enum SelectorInstruction: Sendable {
  /// `all()`.
  case always
  /// `global()`.
  case global
  /// `has(label)`.
  case has(label: String)
  /// `label == 'value'` and its relatives. An absent label fails every comparison.
  case compare(Comparison, label: String, value: String)
  /// `label in {'a', 'b'}`. An absent label is member of nothing.
  case isMember(label: String, values: [String])
  case negate
  /// Goes on at `target` if the outcome is `condition`.
  case skip(when: Bool, to: Int)

  enum Comparison: Sendable {
    case equals
    case contains
    case startsWith
    case endsWith
  }

  /// The label that Calico puts on what lives in a namespace (Calico reference, global network policy).
  static let namespaceLabel = "projectcalico.org/namespace"
}

extension [SelectorInstruction] {
  /// What the list leaves as outcome for `labels`; an empty list leaves true.
  func evaluate(_ labels: [String: String]) -> Bool {
    var outcome = true
    var index = 0
    while index < count {
      switch self[index] {
      case .always:
        outcome = true
      case .global:
        outcome = labels.value(of: SelectorInstruction.namespaceLabel) == nil
      case .has(let label):
        outcome = labels.value(of: label) != nil
      case .compare(let comparison, let label, let wanted):
        outcome = labels.value(of: label).map { comparison.holds($0, wanted) } ?? false
      case .isMember(let label, let values):
        outcome =
          labels.value(of: label).map { value in
            values.contains { SelectorInstruction.Comparison.equals.holds(value, $0) }
          } ?? false
      case .negate:
        outcome.toggle()
      case .skip(let condition, let target) where condition == outcome:
        index = target
        continue
      case .skip:
        break
      }
      index += 1
    }
    return outcome
  }
}

extension [String: String] {
  /// The value of an ASCII label.
  ///
  /// Keys of a dictionary are equal if they are canonically equivalent: the Kelvin sign is found as `K`. What is
  /// equivalent to an ASCII text without being the same has more bytes.
  fileprivate func value(of label: String) -> String? {
    guard let index = index(forKey: label) else { return nil }
    let found = self[index]
    return found.key.utf8.count == label.utf8.count ? found.value : nil
  }
}

extension SelectorInstruction.Comparison {
  /// Compares byte for byte; Swift's own operators would take canonically equivalent texts for the same.
  func holds(_ value: String, _ wanted: String) -> Bool {
    let text = value.utf8.span
    let part = wanted.utf8.span
    let room = text.count - part.count
    guard room >= 0 else { return false }
    return switch self {
    case .equals: room == 0 && text.has(part, at: 0)
    case .startsWith: text.has(part, at: 0)
    case .endsWith: text.has(part, at: room)
    case .contains: (0...room).contains { text.has(part, at: $0) }
    }
  }
}

extension Span<UInt8> {
  /// Whether `part`, which must fit, stands at `offset`.
  fileprivate func has(_ part: Span<UInt8>, at offset: Int) -> Bool {
    for index in part.indices where self[offset + index] != part[index] { return false }
    return true
  }
}
