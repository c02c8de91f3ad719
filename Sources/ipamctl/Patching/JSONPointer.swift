import JSON

/// The way to a value in a document (RFC 6901).
struct JSONPointer: Hashable, CustomStringConvertible {
  let description: String
  /// The keys of objects and indices of arrays.
  let tokens: [String]

  /// Reads a pointer such as `/spec/allowedUses/0`; the empty one means the whole document.
  init(_ text: String) throws(PatchFailure) {
    description = text
    guard !text.isEmpty else {
      tokens = []
      return
    }
    guard text.hasPrefix("/") else { throw PatchFailure("path '\(text)' does not begin with '/'") }
    tokens = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { token in
      token.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
        .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
    }
  }

  /// Whether this is the way to something inside what another pointer leads to.
  func isInside(_ other: JSONPointer) -> Bool { tokens.count > other.tokens.count && tokens.starts(with: other.tokens) }

  /// The value in a document.
  func value(in document: JSON) throws(PatchFailure) -> JSON {
    var value = document
    for token in tokens {
      switch value {
      case .object(let object):
        guard let member = object[token] else { throw absence }
        value = member
      case .array(let elements): value = elements[try index(token, below: elements.count)]
      default: throw absence
      }
    }
    return value
  }

  /// Changes the object or array that the last token is of.
  ///
  /// - Parameters:
  ///   - document: the document.
  ///   - change: gets that object or array, and the token.
  /// - Throws: ``PatchFailure`` when there is no such thing, or what `change` throws.
  func changeParent(
    in document: inout JSON, _ change: (inout JSON, String) throws(PatchFailure) -> Void
  ) throws(PatchFailure) {
    guard let last = tokens.last else { throw PatchFailure("the whole document cannot be added or removed") }
    try descend(tokens.dropLast(), in: &document) { parent throws(PatchFailure) in try change(&parent, last) }
  }

  private func descend(
    _ tokens: ArraySlice<String>, in value: inout JSON, _ change: (inout JSON) throws(PatchFailure) -> Void
  ) throws(PatchFailure) {
    guard let token = tokens.first else { return try change(&value) }
    switch value {
    case .object(var object):
      guard var member = object[token] else { throw absence }
      try descend(tokens.dropFirst(), in: &member, change)
      object[token] = member
      value = .object(object)
    case .array(var elements):
      let index = try index(token, below: elements.count)
      try descend(tokens.dropFirst(), in: &elements[index], change)
      value = .array(elements)
    default: throw absence
    }
  }

  /// An index that is less than a bound: digits without a zero before others (RFC 6901, section 4).
  func index(_ token: String, below bound: Int) throws(PatchFailure) -> Int {
    guard token.utf8.allSatisfy({ (0x30...0x39).contains($0) }), token == "0" || !token.hasPrefix("0"),
      let index = Int(token), index < bound
    else { throw PatchFailure("path '\(description)': '\(token)' is no index of the list there, which has \(bound)") }
    return index
  }

  /// That there is nothing there.
  var absence: PatchFailure { PatchFailure("path '\(description)': there is nothing") }
}
