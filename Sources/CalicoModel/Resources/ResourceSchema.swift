import JSON

/// The members of an object: what the originals call them, in which order they write them, and what they leave out.
///
/// Both directions of a document rest on it: reading a user's, in which nothing unknown may stand, and writing what is
/// stored, byte for byte as the originals write it.
struct ResourceSchema: Sendable {
  /// What a member's value is.
  indirect enum Shape: Sendable {
    /// A string; the name is that of Go's type, which its error texts contain.
    case string(String = "string")
    case bool
    /// An integer of so many bits, with Go's name.
    case integer(Int, String = "int")
    /// Any number; Go's name.
    case number(String)
    /// A time in RFC 3339.
    case time
    /// An autonomous system's number: a number, or text that holds one.
    case systemNumber
    /// An object of strings, written in the order of its keys.
    case strings
    /// A list; the name is Go's of its elements.
    case list(Shape, of: String = "string")
    case object(ResourceSchema)
    /// What is of no concern here, kept as it is.
    case any
  }

  /// When a member is left out.
  enum Omission: Sendable {
    /// When it is absent, null, false, zero or empty: Go's `omitempty`.
    case empty
    /// When it is absent or null: Go's `omitempty` of a pointer.
    case absent
    /// Never: where it is absent, this is written.
    case never(JSON)
  }

  struct Member: Sendable {
    var name: String
    var shape: Shape
    var omission: Omission

    init(_ name: String, _ shape: Shape = .string(), _ omission: Omission = .empty) {
      self.name = name
      self.shape = shape
      self.omission = omission
    }
  }

  /// The name of Go's type, which its error texts contain.
  var typeName: String
  /// The members in the order in which they are written.
  var members: [Member]

  init(_ typeName: String, _ members: [Member]) {
    self.typeName = typeName
    self.members = members
  }

  /// The object with its members in the order of this schema, those left out that say nothing, and members that the
  /// schema does not have behind them.
  func arranged(_ object: JSONObject) -> JSONObject {
    var result = JSONObject()
    for member in members {
      let value = Self.arranged(object[member.name] ?? .null, member.shape)
      switch member.omission {
      case .empty where value.saysNothing: continue
      case .absent where value == .null: continue
      case .never(let standard) where value == .null:
        result.members.append(.init(key: member.name, value: Self.arranged(standard, member.shape)))
      default: result.members.append(.init(key: member.name, value: value))
      }
    }
    for member in object.members where !has(member.key) {
      result.members.append(member)
    }
    return result
  }

  private static func arranged(_ value: JSON, _ shape: Shape) -> JSON {
    switch (shape, value) {
    case (.object(let schema), .object(let object)): .object(schema.arranged(object))
    case (.list(let shape, _), .array(let elements)): .array(elements.map { arranged($0, shape) })
    case (.strings, .object(let object)):
      .object(JSONObject(object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }))
    // A time that cannot be understood is kept as it stands.
    case (.time, .string(let text)): .string(Timestamp(text)?.description ?? text)
    case (.systemNumber, .string(let text)): systemNumber(text).map { .number(JSONNumber($0)) } ?? value
    default: value
    }
  }

  /// The number in `64512` or, in the dotted form of RFC 5396, `1.10`; nil for any other text.
  static func systemNumber(_ text: String) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ part in !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
      return nil
    }
    switch parts.count {
    case 1: return UInt32(parts[0])
    case 2:
      guard let high = UInt16(parts[0]), let low = UInt16(parts[1]) else { return nil }
      return UInt32(high) << 16 | UInt32(low)
    default: return nil
    }
  }

  /// Whether there is a member of exactly this name.
  func has(_ name: String) -> Bool {
    members.contains { $0.name == name }
  }

  /// An object with what another has beyond this schema: members that only newer versions, or other programs, know.
  func keepingUnknown(of stored: JSONObject, in object: JSONObject) -> JSONObject {
    var result = object
    for member in stored.members where !has(member.key) && object[member.key] == nil {
      result.members.append(member)
    }
    for member in members {
      // What the new document does without takes its unknown members with it.
      guard case .object(let schema) = member.shape, let old = stored[member.name]?.objectValue,
        let new = object[member.name]?.objectValue
      else { continue }
      result[member.name] = .object(schema.keepingUnknown(of: old, in: new))
    }
    return result
  }

  /// An object without what another one has beyond this schema as well.
  func withoutUnknown(of stored: JSONObject, in object: JSONObject) -> JSONObject {
    var result = object
    result.members.removeAll { member in !has(member.key) && stored[member.key] != nil }
    for member in members {
      guard case .object(let schema) = member.shape, let old = stored[member.name]?.objectValue,
        let new = object[member.name]?.objectValue
      else { continue }
      result[member.name] = .object(schema.withoutUnknown(of: old, in: new))
    }
    return result
  }
}

extension JSON {
  /// Whether Go's `omitempty` leaves the value out.
  fileprivate var saysNothing: Bool {
    switch self {
    case .null, .bool(false): true
    case .string(let text): text.isEmpty
    case .number(let number): number.int64 == 0
    case .array(let elements): elements.isEmpty
    case .object(let object): object.members.isEmpty
    case .bool(true): false
    }
  }
}
