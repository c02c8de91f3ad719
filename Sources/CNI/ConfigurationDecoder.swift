public import JSON

/// Reads configuration members into values by upstream's rules.
///
/// Members are visited in the order of the document and decoded **into** what is there already, which yields what users
/// of the original rely on without knowing: the later of two scalars counts, a repeated object merges into the earlier
/// one, `null` leaves a scalar alone. A value of the wrong type is remembered and decoding goes on, so that of several
/// faults the same one is reported.
public struct ConfigurationDecoder: Sendable {
  /// The message of the first value that had the wrong type.
  public private(set) var firstTypeError: String?

  public init() {}

  /// Remembers that `value` cannot be had as `type`.
  ///
  /// - Parameters:
  ///   - value: what was found.
  ///   - field: the member's path, such as `IPAMConfig.ipam.dataDir`; empty for the document itself.
  ///   - type: what was wanted, in upstream's words.
  public mutating func reject(_ value: JSON, field: String, type: String) {
    guard firstTypeError == nil else { return }
    let target = field.isEmpty ? "Go value" : "Go struct field \(field)"
    firstTypeError = "json: cannot unmarshal \(value.kindName) into \(target) of type \(type)"
  }

  public mutating func decode(_ value: JSON, as field: String, into target: inout String) {
    switch value {
    case .string(let text): target = text
    case .null: break
    default: reject(value, field: field, type: "string")
    }
  }

  public mutating func decode(_ value: JSON, as field: String, into target: inout Bool) {
    switch value {
    case .bool(let flag): target = flag
    case .null: break
    default: reject(value, field: field, type: "bool")
    }
  }

  /// Decodes a plain integer literal within 64 bits; fractions and exponents are refused.
  public mutating func decode(_ value: JSON, as field: String, into target: inout Int64) {
    switch value {
    case .number(let number):
      guard let integer = number.int64 else {
        return rejectNumber(number, field: field)
      }
      target = integer
    case .null: break
    default: reject(value, field: field, type: "int")
    }
  }

  /// Like the plain integer, but `null` takes the value away.
  public mutating func decode(_ value: JSON, as field: String, into target: inout Int64?) {
    guard value != .null else {
      target = nil
      return
    }
    var integer = target ?? 0
    decode(value, as: field, into: &integer)
    target = integer
  }

  /// The members of an object. Anything else has none; unless it is `null`, that is remembered as an error.
  public mutating func members(of value: JSON, as field: String, type: String) -> [JSONObject.Member] {
    switch value {
    case .object(let object): return object.members
    case .null: return []
    default:
      reject(value, field: field, type: type)
      return []
    }
  }

  private mutating func rejectNumber(_ number: JSONNumber, field: String) {
    guard firstTypeError == nil else { return }
    firstTypeError = "json: cannot unmarshal number \(number.literal) into Go struct field \(field) of type int"
  }
}
