/// The first place where a text departs from the selector language (Calico IPAM specification, section 4.7).
///
/// The description is upstream's wording where the specification records it; the remaining texts follow its pattern of
/// `expected` and the missing token.
public struct SelectorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong.
  public enum Code: Hashable, Sendable {
    /// A string has no closing quote.
    case unterminatedString
    /// A single `=`, wherever it stands outside a string.
    case expectedEquality
    /// A single `&`, wherever it stands outside a string.
    case expectedAnd
    /// A single `|`, wherever it stands outside a string.
    case expectedOr
    /// A label is not followed by one of the operators that take a label.
    case expectedOperator(label: String)
    /// Something that begins no term stands where one must, or something other than a label inside `has(...)`.
    case expectedIdentifier
    /// An identifier has more characters than the limit allows.
    case labelTooLong(String)
    /// Something other than a string follows an operator that compares, or a comma of a set.
    case expectedString
    /// Something other than a set follows `in` or `not in`.
    case expectedSet
    /// Neither a comma nor the closing brace follows a member of a set.
    case expectedEndOfSet
    /// A parenthesis is not closed where it must be.
    case expectedClosingParenthesis
    /// Something follows a complete selector that does not continue it.
    case expectedConnective
  }

  /// What was wrong.
  public let code: Code
  /// The offset of the offending byte in the text's UTF-8: the opening quote of a string without end, the beginning of
  /// a label that is too long; the length of the text if it ended too early.
  public let offset: Int

  init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  /// The message; it does not contain the offset.
  public var description: String {
    switch code {
    case .unterminatedString: "unterminated string"
    case .expectedEquality: "expected =="
    case .expectedAnd: "expected &&"
    case .expectedOr: "expected ||"
    case .expectedOperator(let label): "expected operator after label \"\(label)\""
    case .expectedIdentifier: "expected identifier"
    case .labelTooLong(let label): "label too long: \(label)"
    case .expectedString: "expected string"
    case .expectedSet: "expected {"
    case .expectedEndOfSet: "expected , or }"
    case .expectedClosingParenthesis: "expected )"
    case .expectedConnective: "expected && or ||"
    }
  }
}
