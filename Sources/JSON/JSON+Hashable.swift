// Written by hand because the synthesized conformance recurses once per level, which a document of 10,000 levels turns
// into a stack overflow, and compares strings by canonical equivalence, which JSON does not know.

extension JSON: Hashable {
  /// Returns whether two values are the same document apart from white space and escapes.
  ///
  /// Strings are equal if their UTF-8 bytes are, as RFC 8259 section 8.3 asks; numbers if their literals are (`1` and
  /// `1.0` differ); objects if they have the same members in the same order.
  public static func == (lhs: JSON, rhs: JSON) -> Bool {
    var pending: [(JSON, JSON)] = []
    var pair = (lhs, rhs)
    while true {
      switch pair {
      case (.null, .null):
        break
      case (.bool(let left), .bool(let right)):
        guard left == right else { return false }
      case (.number(let left), .number(let right)):
        guard left == right else { return false }
      case (.string(let left), .string(let right)):
        guard left.hasSameBytes(as: right) else { return false }
      case (.array(let left), .array(let right)):
        guard left.count == right.count else { return false }
        for index in left.indices {
          pending.append((left[index], right[index]))
        }
      case (.object(let left), .object(let right)):
        guard left.members.count == right.members.count else { return false }
        for index in left.members.indices {
          guard left.members[index].key.hasSameBytes(as: right.members[index].key) else { return false }
          pending.append((left.members[index].value, right.members[index].value))
        }
      default:
        return false
      }
      guard let next = pending.popLast() else { return true }
      pair = next
    }
  }

  /// Feeds the whole value to a hasher.
  public func hash(into hasher: inout Hasher) {
    var pending: [JSON] = []
    var value = self
    while true {
      // The counts keep [[1], 2] and [[1, 2]] apart, the leading numbers the empty array and the empty object.
      switch value {
      case .null:
        hasher.combine(0 as UInt8)
      case .bool(let bool):
        hasher.combine(bool)
      case .number(let number):
        hasher.combine(number)
      case .string(let string):
        hasher.combine(string)
      case .array(let elements):
        hasher.combine(1 as UInt8)
        hasher.combine(elements.count)
        pending.append(contentsOf: elements)
      case .object(let object):
        hasher.combine(2 as UInt8)
        hasher.combine(object.members.count)
        for member in object.members {
          hasher.combine(member.key)
          pending.append(member.value)
        }
      }
      guard let next = pending.popLast() else { return }
      value = next
    }
  }
}

extension JSONObject: Hashable {
  /// Returns whether two objects have the same members in the same order.
  public static func == (lhs: JSONObject, rhs: JSONObject) -> Bool {
    JSON.object(lhs) == JSON.object(rhs)
  }

  /// Feeds all members to a hasher.
  public func hash(into hasher: inout Hasher) {
    JSON.object(self).hash(into: &hasher)
  }
}

extension JSONObject.Member: Hashable {
  /// Returns whether two members have the same key, byte for byte, and the same value.
  public static func == (lhs: JSONObject.Member, rhs: JSONObject.Member) -> Bool {
    lhs.key.hasSameBytes(as: rhs.key) && lhs.value == rhs.value
  }

  /// Feeds the key and the value to a hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(key)
    hasher.combine(value)
  }
}
