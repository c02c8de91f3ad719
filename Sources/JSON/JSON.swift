/// A JSON value as RFC 8259 defines it, kept closely enough to be written again without loss.
///
/// Numbers keep their literal, objects keep the order and the duplicates of their members, so a document that is only
/// passed through (a `prevResult`, keys of other plugins) comes out as it went in, white space and escapes apart.
///
/// Parsing, printing, comparison and hashing do not recurse: depth costs heap, not stack. Destroying a value does, as
/// with every nested Swift value: at the default limit of 10,000 levels that takes less than 4 MiB of stack, so mind
/// it on threads that have less.
public enum JSON: Sendable {
  /// The literal `null`.
  case null
  /// One of the literals `true` and `false`.
  case bool(Bool)
  /// A number, exactly as written.
  case number(JSONNumber)
  /// A text.
  case string(String)
  /// An ordered list of values.
  case array([JSON])
  /// An ordered list of named values.
  case object(JSONObject)
}

extension JSON {
  /// The text, or nil if this is no string.
  public var stringValue: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The members, or nil if this is no object.
  public var objectValue: JSONObject? {
    guard case .object(let value) = self else { return nil }
    return value
  }

  /// The elements, or nil if this is no array.
  public var arrayValue: [JSON]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  /// The truth value, or nil if this is neither `true` nor `false`.
  public var boolValue: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  /// The number, or nil if this is no number.
  public var numberValue: JSONNumber? {
    guard case .number(let value) = self else { return nil }
    return value
  }

  /// The kind of this value in the words of error messages.
  ///
  /// One of `null`, `bool`, `number`, `string`, `array` and `object`: the words of Go's encoding/json in texts such as
  /// `json: cannot unmarshal number into Go struct field .name of type string`.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// Makes `null`.
  public init(nilLiteral: ()) {
    self = .null
  }

  /// Makes `true` or `false`.
  public init(booleanLiteral value: Bool) {
    self = .bool(value)
  }

  /// Makes a number.
  public init(integerLiteral value: Int) {
    self = .number(JSONNumber(value))
  }

  /// Makes a string.
  public init(stringLiteral value: String) {
    self = .string(value)
  }

  /// Makes an array.
  public init(arrayLiteral elements: JSON...) {
    self = .array(elements)
  }

  /// Makes an object whose members are in the order of the literal.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
  }
}
