import JSON

extension ResourceSchema {
  /// Checks a user's document member by member, as strictly as the originals decode it (calicoctl specification,
  /// sections 3.1 and 4.2), and spells its keys as they are stored.
  ///
  /// - Parameters:
  ///   - object: the document, or an object in it.
  ///   - path: where the object is, such as `spec.`; empty for the document.
  /// - Returns: the object with the keys as this schema has them, without members that are null: Go takes them for
  ///   absent ones.
  /// - Throws: ``ResourceError`` for the first unknown or repeated key, or value of the wrong type.
  func checked(_ object: JSONObject, path: String = "") throws(ResourceError) -> JSONObject {
    var result = JSONObject()
    for member in object.members {
      let known = members.first { $0.name == member.key } ?? members.first { member.key.matchesFieldName($0.name) }
      guard let known else {
        throw ResourceError(
          .unknownField(member.key), "field in document is not recognized or is in the wrong location: \(member.key)")
      }
      guard result[known.name] == nil else {
        throw ResourceError(.malformed, "key \"\(member.key)\" already set in map")
      }
      result[known.name] = try checked(member.value, known.shape, at: path + known.name)
    }
    result.members.removeAll { $0.value == .null }
    return result
  }

  private func checked(_ value: JSON, _ shape: Shape, at path: String) throws(ResourceError) -> JSON {
    switch (shape, value) {
    case (.any, _), (_, .null), (.string, .string), (.bool, .bool), (.number, .number): return value
    case (.integer(let bits, _), .number(let number)):
      guard let integer = number.int64, bits == 64 || Int32(exactly: integer) != nil else {
        throw mismatch("number \(number)", shape, at: path)
      }
      return value
    case (.time, .string(let text)):
      guard let time = Timestamp(text) else {
        throw ResourceError(.malformed, "parsing time \"\(text)\": not a time in RFC 3339, in \(path)")
      }
      return .string(time.description)
    case (.systemNumber, .string(let text)) where ResourceSchema.systemNumber(text) != nil: return value
    case (.systemNumber, .number(let number)) where number.uint64.flatMap({ UInt32(exactly: $0) }) != nil: return value
    case (.strings, .object(let object)): return try checkedStrings(object, at: path)
    case (.list(let element, _), .array(let elements)):
      var result: [JSON] = []
      for value in elements { result.append(try checked(value, element, at: path)) }
      return .array(result)
    case (.object(let schema), .object(let object)): return .object(try schema.checked(object, path: path + "."))
    default: throw mismatch(value.kindName, shape, at: path)
    }
  }

  private func checkedStrings(_ object: JSONObject, at path: String) throws(ResourceError) -> JSON {
    var result = JSONObject()
    for member in object.members {
      guard result[member.key] == nil else {
        throw ResourceError(.malformed, "key \"\(member.key)\" already set in map")
      }
      switch member.value {
      case .string: result[member.key] = member.value
      case .null: result[member.key] = ""
      default: throw mismatch(member.value.kindName, .string(), at: path)
      }
    }
    return .object(result)
  }

  /// The text of Go's encoding/json, which tests of the originals look for; the prefix `json: ` is cut off there as
  /// well (section 3.1).
  private func mismatch(_ found: String, _ shape: Shape, at path: String) -> ResourceError {
    let place = "Go struct field \(typeName).\(path) of type \(Self.typeName(of: shape))"
    return ResourceError(.malformed, "cannot unmarshal \(found) into \(place)")
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
}
