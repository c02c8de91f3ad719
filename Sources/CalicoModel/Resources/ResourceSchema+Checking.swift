import JSON

extension ResourceSchema {
  /// Checks a user's document member by member, as strictly as the originals decode it (calicoctl specification,
  /// sections 3.1 and 4.2), and spells its keys as they are stored.
  ///
  /// - Parameter document: the document.
  /// - Returns: the document with the keys as this schema has them, without members that are null: Go takes them for
  ///   absent ones.
  /// - Throws: ``ResourceError`` for the first unknown or repeated key, or value of the wrong type; it says where that is,
  ///   and what was probably meant.
  func checked(_ document: JSONObject) throws(ResourceError) -> JSONObject {
    try checked(document, Position(root: self))
  }

  /// Where in a document its checking is.
  private struct Position {
    /// The schema of the whole document.
    var root: ResourceSchema
    /// As Go's error texts name it: names of fields, and no indices.
    var path = ""
    var place = DocumentPlace()

    /// The position of a member's value, `key` being how it is written.
    func member(_ name: String, _ key: String) -> Position {
      Position(root: root, path: path.isEmpty ? name : "\(path).\(name)", place: place.member(key))
    }

    func element(_ index: Int) -> Position { Position(root: root, path: path, place: place.element(index)) }
  }

  private func checked(_ object: JSONObject, _ position: Position) throws(ResourceError) -> JSONObject {
    var result = JSONObject()
    for member in object.members {
      let known = members.first { $0.name == member.key } ?? members.first { member.key.matchesFieldName($0.name) }
      guard let known else { throw unknown(member.key, position) }
      let inner = position.member(known.name, member.key)
      guard result[known.name] == nil else {
        throw ResourceError(
          .malformed, "key \"\(member.key)\" already set in map", at: inner.place, advice: "remove one of the two")
      }
      result[known.name] = try checked(member.value, known.shape, inner)
    }
    result.members.removeAll { $0.value == .null }
    return result
  }

  private func checked(_ value: JSON, _ shape: Shape, _ position: Position) throws(ResourceError) -> JSON {
    switch (shape, value) {
    case (.any, _), (_, .null), (.string, .string), (.bool, .bool), (.number, .number): return value
    case (.integer(let bits, _), .number(let number)):
      guard let integer = number.int64, bits == 64 || Int32(exactly: integer) != nil else {
        throw mismatch("number \(number)", shape, position)
      }
      return value
    case (.time, .string(let text)):
      guard let time = Timestamp(text) else {
        throw ResourceError(
          .malformed, "parsing time \"\(text)\": not a time in RFC 3339, in \(position.path)", at: position.place,
          advice: "has to be a time such as 2026-08-22T13:00:00Z")
      }
      return .string(time.description)
    case (.systemNumber, .string(let text)) where ResourceSchema.systemNumber(text) != nil: return value
    case (.systemNumber, .number(let number)) where number.uint64.flatMap({ UInt32(exactly: $0) }) != nil: return value
    case (.strings, .object(let object)): return try checkedStrings(object, position)
    case (.list(let element, _), .array(let elements)):
      var result: [JSON] = []
      for (index, value) in elements.enumerated() {
        result.append(try checked(value, element, position.element(index)))
      }
      return .array(result)
    case (.object(let schema), .object(let object)): return .object(try schema.checked(object, position))
    default: throw mismatch(value.kindName, shape, position)
    }
  }

  private func checkedStrings(_ object: JSONObject, _ position: Position) throws(ResourceError) -> JSON {
    var result = JSONObject()
    for member in object.members {
      guard result[member.key] == nil else {
        throw ResourceError(
          .malformed, "key \"\(member.key)\" already set in map", at: position.place.member(member.key),
          advice: "remove one of the two")
      }
      switch member.value {
      case .string: result[member.key] = member.value
      case .null: result[member.key] = ""
      default:
        var inner = position
        inner.place = position.place.member(member.key)
        throw mismatch(member.value.kindName, .string(), inner)
      }
    }
    return .object(result)
  }

  // MARK: Errors

  /// A member that there is none of: of another object, perhaps, or misspelled.
  private func unknown(_ key: String, _ position: Position) -> ResourceError {
    let elsewhere = position.root.way(to: key).map { ($0 + [key]).joined(separator: ".") }
    let meant = elsewhere ?? NearestName.of(key, among: members.map(\.name))
    return ResourceError(
      .unknownField(key), "field in document is not recognized or is in the wrong location: \(key)",
      at: position.place.member(key), advice: meant.map { "did you mean '\($0)'?" })
  }

  /// The objects in which a member of this name is, from the top; nil when there is none in any.
  private func way(to name: String) -> [String]? {
    if has(name) { return [] }
    for member in members {
      guard case .object(let schema) = member.shape, let way = schema.way(to: name) else { continue }
      return [member.name] + way
    }
    return nil
  }

  /// The text of Go's encoding/json, which tests of the originals look for; the prefix `json: ` is cut off there as
  /// well (section 3.1).
  private func mismatch(_ found: String, _ shape: Shape, _ position: Position) -> ResourceError {
    let place = "Go struct field \(typeName).\(position.path) of type \(Self.typeName(of: shape))"
    return ResourceError(
      .malformed, "cannot unmarshal \(found) into \(place)", at: position.place, advice: Self.demand(of: shape))
  }

  private static func typeName(of shape: Shape) -> String {
    switch shape {
    case .string(let name), .integer(_, let name), .number(let name): name
    case .bool: "bool"
    case .time: "v1.Time"
    case .systemNumber: "numorstring.ASNumber"
    case .strings: "map[string]string"
    case .list(_, let name): "[]" + name
    case .object(let schema):
      (schema.typeName == "ObjectMeta" || schema.typeName == "Condition" ? "v1." : "v3.") + schema.typeName
    case .any: "interface {}"
    }
  }

  /// What a value has to be, in plain words.
  private static func demand(of shape: Shape) -> String? {
    switch shape {
    case .string: "has to be text; put a value that looks like something else in quotes"
    case .integer(let bits, _): "has to be a whole number" + (bits == 64 ? "" : " below 2147483648")
    case .number: "has to be a number"
    case .bool: "has to be true or false, without quotes"
    case .time: "has to be a time such as 2026-08-22T13:00:00Z"
    case .systemNumber: "has to be a number such as 64512"
    case .strings: "has to be an object of texts, each 'key: value'"
    case .list: "has to be a list"
    case .object: "has to be an object"
    case .any: nil
    }
  }
}
