import JSON

extension JSONReader {
  /// Reads the document of a stored entry.
  static func readEntry<Result>(
    _ document: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> Result
  ) throws(ModelError) -> Result {
    do {
      return try read(document, body)
    } catch {
      throw ModelError(.malformed, error.description)
    }
  }

  /// Takes an object member by member; null has none. `body` takes the value of every key it is given.
  mutating func readMembers(
    _ body: (JSONText, inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) {
    if try readNull() { return }
    try beginObject()
    while let key = try nextKey() { try body(key, &self) }
  }

  /// Takes an array element by element; null has none.
  mutating func readElements(_ body: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
    if try readNull() { return }
    try beginArray()
    while try nextElement() { try body(&self) }
  }

  /// Takes an object of strings; null is empty.
  mutating func readStrings() throws(JSONError) -> [String: String] {
    var strings: [String: String] = [:]
    if try readNull() { return strings }
    try beginObject()
    while let key = try nextKey() {
      strings[key.string] = try readString()
    }
    return strings
  }

  /// Passes over an object of strings, or null.
  ///
  /// - Returns: whether there were any.
  /// - Throws: `JSONError` when it is anything else.
  mutating func skipStrings() throws(JSONError) -> Bool {
    if try readNull() { return false }
    var isEmpty = true
    try beginObject()
    while try nextKey() != nil {
      _ = try readText()
      isEmpty = false
    }
    return !isEmpty
  }

  /// Takes a time in RFC 3339; null and the empty text are none, and so is any other text.
  mutating func readTimestamp() throws(JSONError) -> Timestamp? {
    try readNull() ? nil : Timestamp(try readString())
  }

  /// Takes a truth value; null is false.
  mutating func readFlag() throws(JSONError) -> Bool {
    try readNull() ? false : try readBool()
  }
}

extension JSONWriter {
  /// Writes an object of strings, sorted by the bytes of the keys.
  mutating func strings(_ strings: [String: String]) {
    literal("{")
    var isFirst = true
    for key in strings.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      if !isFirst { literal(",") }
      isFirst = false
      string(key)
      literal(":")
      string(strings[key] ?? "")
    }
    literal("}")
  }
}

/// Members of an object that this version does not know, as they stood: `"name":value` each.
struct UnknownMembers: Hashable, Sendable {
  private var texts: [ArraySlice<UInt8>] = []

  var isEmpty: Bool { texts.isEmpty }

  /// Takes the value that follows a key, with its key.
  mutating func take(_ key: JSONText, from reader: inout JSONReader, of document: [UInt8]) throws(JSONError) {
    var writer = JSONWriter()
    writer.string(key.string)
    writer.literal(":")
    let range = try reader.skipValue()
    writer.raw(document[range])
    texts.append(writer.bytes[...])
  }

  /// Writes the members, each behind a comma.
  func write(to writer: inout JSONWriter) {
    for text in texts {
      writer.literal(",")
      writer.raw(text)
    }
  }
}
