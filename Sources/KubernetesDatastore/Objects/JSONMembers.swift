import JSON

/// The members of an object of a document, each where it stands, unread.
struct JSONMembers {
  /// Where the object stands, such as `spec`; empty for the document itself.
  let path: String
  private var members: [(name: String, text: ArraySlice<UInt8>)] = []

  /// Takes an object apart; nil and null have no members.
  ///
  /// - Parameters:
  ///   - text: one value, anywhere in a document.
  ///   - path: where it stands, for errors.
  /// - Throws: ``ObjectError`` when it is no object.
  init(_ text: ArraySlice<UInt8>?, at path: String = "") throws(ObjectError) {
    self.path = path
    guard let text else { return }
    members = try Self.read(text, at: path) { reader throws(JSONError) in
      var members: [(name: String, text: ArraySlice<UInt8>)] = []
      if try reader.readNull() { return members }
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let name = key.string
        let range = try reader.skipValue()
        members.append((name, text[text.startIndex + range.lowerBound..<text.startIndex + range.upperBound]))
      }
      return members
    }
  }

  /// The last member of a name; nil when there is none, or null.
  subscript(name: String) -> ArraySlice<UInt8>? {
    guard let text = members.last(where: { $0.name == name })?.text, !text.elementsEqual("null".utf8) else {
      return nil
    }
    return text
  }

  /// Where a member stands.
  func path(_ name: String) -> String { path.isEmpty ? name : path + "." + name }

  /// A member that must be a string; nil when there is none, or null.
  func string(_ name: String) throws(ObjectError) -> String? {
    guard let text = self[name] else { return nil }
    return try Self.read(text, at: path(name)) { reader throws(JSONError) in try reader.readString() }
  }

  /// A member that must be a truth value; nil when there is none, or null.
  func bool(_ name: String) throws(ObjectError) -> Bool? {
    guard let text = self[name] else { return nil }
    return try Self.read(text, at: path(name)) { reader throws(JSONError) in try reader.readBool() }
  }

  /// The members of a member that must be an object.
  func object(_ name: String) throws(ObjectError) -> JSONMembers {
    try JSONMembers(self[name], at: path(name))
  }

  /// The elements of a member that must be an array, unread.
  func elements(_ name: String) throws(ObjectError) -> [ArraySlice<UInt8>] {
    guard let text = self[name] else { return [] }
    return try Self.read(text, at: path(name)) { reader throws(JSONError) in
      var elements: [ArraySlice<UInt8>] = []
      try reader.beginArray()
      while try reader.nextElement() {
        let range = try reader.skipValue()
        elements.append(text[text.startIndex + range.lowerBound..<text.startIndex + range.upperBound])
      }
      return elements
    }
  }

  /// The members of a member that must be an object of strings, in their order.
  func labels(_ name: String) throws(ObjectError) -> [Label] {
    guard let text = self[name] else { return [] }
    return try Self.read(text, at: path(name)) { reader throws(JSONError) in
      var labels: [Label] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        let name = key.string
        labels.append(Label(name, try reader.readString()))
      }
      return labels
    }
  }

  /// The members whose names are none of these.
  func others(_ known: [String]) -> [(name: String, text: ArraySlice<UInt8>)] {
    members.filter { !known.contains($0.name) }
  }

  private static func read<Result>(
    _ text: ArraySlice<UInt8>, at path: String, _ body: (inout JSONReader) throws(JSONError) -> Result
  ) throws(ObjectError) -> Result {
    do throws(JSONError) {
      return try text.withUnsafeBufferPointer { bytes throws(JSONError) -> Result in
        var reader = JSONReader(UnsafeRawBufferPointer(bytes))
        let result = try body(&reader)
        try reader.end()
        return result
      }
    } catch {
      throw ObjectError(field: path, reason: error.description)
    }
  }
}
