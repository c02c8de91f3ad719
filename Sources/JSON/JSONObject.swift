/// The members of a JSON object, in the order in which they were written.
///
/// Keys that appear more than once are all kept, since which of them counts is for the reader of the document to say.
/// The subscript is for patching a document: it goes by exact keys and leaves all other members and their order alone.
public struct JSONObject: Sendable {
  /// A name and its value.
  public struct Member: Sendable {
    /// The name, unescaped.
    public var key: String
    /// The value.
    public var value: JSON

    /// Makes a member.
    public init(key: String, value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// All members, duplicates included.
  public var members: [Member]

  /// Makes an object of members in the order given.
  public init(_ members: [Member] = []) {
    self.members = members
  }

  /// The value of the last member of exactly this key, byte for byte.
  ///
  /// Setting a value replaces it where the key first stands and removes later members of the same key, or appends a
  /// member if there is none. Setting nil removes every member of the key; to write a `null`, set `JSON.null`.
  public subscript(key: String) -> JSON? {
    get {
      members.last { $0.key.hasSameBytes(as: key) }?.value
    }
    set {
      guard let newValue else {
        members.removeAll { $0.key.hasSameBytes(as: key) }
        return
      }
      guard let index = members.firstIndex(where: { $0.key.hasSameBytes(as: key) }) else {
        members.append(Member(key: key, value: newValue))
        return
      }
      members[index].value = newValue
      members[(index + 1)...].removeAll { $0.key.hasSameBytes(as: key) }
    }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// Makes an object whose members are in the order of the literal, duplicates included.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self.init(elements.map { Member(key: $0.0, value: $0.1) })
  }
}
