/// A JSON number, kept as the literal that was written.
///
/// No literal is changed by passing through: `1e3`, `-0` and `12345678901234567890` are written as they were read.
/// Equality is that of the literals, so `1` and `1.0` are different numbers.
public struct JSONNumber: Hashable, Sendable {
  /// The number in the grammar of RFC 8259 section 6.
  public let literal: String

  /// Makes the number of an integer of any width.
  public init(_ value: some BinaryInteger) {
    literal = String(value)
  }

  /// Takes over a literal which the scanner has checked.
  init(checkedLiteral: String) {
    literal = checkedLiteral
  }

  /// The value as a signed 64 bit integer, if the literal is a plain integer in range.
  ///
  /// A fraction or an exponent makes it nil even where the value is whole (`1.0`, `1e3`), as in Go's encoding/json.
  public var int64: Int64? {
    Int64(literal)
  }

  /// The value as an unsigned 64 bit integer, if the literal is a plain integer in range without a sign.
  ///
  /// `-0` is nil, as in Go's encoding/json.
  public var uint64: UInt64? {
    literal.utf8.first == UInt8(ascii: "-") ? nil : UInt64(literal)
  }
}

extension JSONNumber: ExpressibleByIntegerLiteral {
  /// Makes the number of an integer literal.
  public init(integerLiteral value: Int) {
    self.init(value)
  }
}

extension JSONNumber: CustomStringConvertible {
  /// The literal.
  public var description: String { literal }
}
