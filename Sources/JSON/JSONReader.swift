/// Reads a document from front to back without making a tree of it.
///
/// For values that are read far more often than they are changed: the caller asks for the members it knows, and takes
/// the text of the others as it stands, so that it can write them again unchanged. Numbers are exact 64-bit integers.
///
/// The bytes must outlive the reader. Every byte that the reader passes over is checked as ``JSON/init(parsing:)``
/// checks it.
///
/// ```swift
/// try reader.beginObject()
/// while let key = try reader.nextKey() {
///   if key.is("state") { state = try reader.readString() } else { try reader.skipValue() }
/// }
/// try reader.end()
/// ```
public struct JSONReader {
  private var scanner: JSONScanner
  /// Whether the next element or member of the container at hand is its first.
  private var isAtStart = false

  /// A reader of one document.
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.scanner = JSONScanner(bytes)
  }

  /// Reads one whole document.
  ///
  /// - Parameters:
  ///   - document: the text.
  ///   - body: takes the document's value.
  /// - Returns: what `body` returns.
  /// - Throws: `JSONError` from `body`, or when anything but white space follows the value.
  public static func read<Result>(
    _ document: [UInt8], _ body: (inout JSONReader) throws(JSONError) -> Result
  ) throws(JSONError) -> Result {
    try document.withUnsafeBufferPointer { bytes throws(JSONError) -> Result in
      var reader = JSONReader(UnsafeRawBufferPointer(bytes))
      let result = try body(&reader)
      try reader.end()
      return result
    }
  }

  /// Where the next byte is read.
  public var offset: Int { scanner.position }

  /// Demands that only white space follows.
  public mutating func end() throws(JSONError) {
    try scanner.expectEnd()
  }

  /// Skips white space and takes `null` if it is next.
  ///
  /// - Returns: whether it was there.
  /// - Throws: `JSONError` when the document ends, or breaks inside the literal.
  public mutating func readNull() throws(JSONError) -> Bool {
    guard try scanner.nextToken() == UInt8(ascii: "n") else { return false }
    try scanner.scanLiteral("null")
    return true
  }

  /// Takes `true` or `false`.
  public mutating func readBool() throws(JSONError) -> Bool {
    switch try scanner.nextToken() {
    case UInt8(ascii: "t"):
      try scanner.scanLiteral("true")
      return true
    case UInt8(ascii: "f"):
      try scanner.scanLiteral("false")
      return false
    default: throw scanner.error(.unexpectedType)
    }
  }

  /// Takes a string.
  public mutating func readString() throws(JSONError) -> String {
    guard try scanner.nextToken() == UInt8(ascii: "\"") else { throw scanner.error(.unexpectedType) }
    return try scanner.scanString()
  }

  /// Takes a string, and gives its bytes: where they lie in the document, or decoded when it has escapes.
  public mutating func readText() throws(JSONError) -> JSONText {
    guard try scanner.nextToken() == UInt8(ascii: "\"") else { throw scanner.error(.unexpectedType) }
    return try scanner.scanText()
  }

  /// Takes an integer that fits; a fraction, an exponent or more than 64 bits is an error.
  public mutating func readInteger<Integer: FixedWidthInteger>(
    as type: Integer.Type = Integer.self
  ) throws(JSONError) -> Integer {
    let first = try scanner.nextToken()
    let start = scanner.position
    let isNegative = first == UInt8(ascii: "-")
    guard isNegative || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
      throw scanner.error(.unexpectedType)
    }
    let (magnitude, isInteger) = try scanner.scanMagnitude()
    let value = isNegative ? Integer(exactly: -Int128(magnitude)) : Integer(exactly: magnitude)
    if isInteger, let value { return value }
    scanner.move(to: start)
    throw scanner.error(.unexpectedType)
  }

  /// Takes a `{`.
  public mutating func beginObject() throws(JSONError) {
    guard try scanner.nextToken() == UInt8(ascii: "{") else { throw scanner.error(.unexpectedType) }
    scanner.advance()
    isAtStart = true
  }

  /// Takes the next member's key and its colon, or the end of the object.
  ///
  /// - Returns: the key, or nil at the end.
  /// - Throws: `JSONError` when neither is there.
  public mutating func nextKey() throws(JSONError) -> JSONText? {
    guard try continues(until: UInt8(ascii: "}"), orThrow: .afterMember) else { return nil }
    guard try scanner.nextToken() == UInt8(ascii: "\"") else { throw scanner.error(.expectedKey) }
    let key = try scanner.scanText()
    guard try scanner.nextToken() == UInt8(ascii: ":") else { throw scanner.error(.afterKey) }
    scanner.advance()
    return key
  }

  /// Takes a `[`.
  public mutating func beginArray() throws(JSONError) {
    guard try scanner.nextToken() == UInt8(ascii: "[") else { throw scanner.error(.unexpectedType) }
    scanner.advance()
    isAtStart = true
  }

  /// Whether the array at hand has another element; takes the comma before it, or the end of the array.
  public mutating func nextElement() throws(JSONError) -> Bool {
    try continues(until: UInt8(ascii: "]"), orThrow: .afterElement)
  }

  private mutating func continues(until end: UInt8, orThrow code: JSONError.Code) throws(JSONError) -> Bool {
    let byte = try scanner.nextToken()
    if byte == end {
      scanner.advance()
      isAtStart = false
      return false
    }
    if isAtStart {
      isAtStart = false
      return true
    }
    guard byte == UInt8(ascii: ",") else { throw scanner.error(code) }
    scanner.advance()
    return true
  }

  /// Takes a value of any kind, unread.
  ///
  /// - Returns: where in the document it lies.
  /// - Throws: `JSONError` when it is malformed or deeper than 10,000 levels.
  @discardableResult
  public mutating func skipValue() throws(JSONError) -> Range<Int> {
    _ = try scanner.nextToken()
    let start = scanner.position
    var depth: [UInt8] = []
    while true {
      let byte = try scanner.nextToken()
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        if depth.count == 10_000 { throw scanner.error(.tooDeep) }
        scanner.advance()
        isAtStart = true
        depth.append(byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]"))
      case UInt8(ascii: "\""): _ = try scanner.scanText()
      case UInt8(ascii: "t"): try scanner.scanLiteral("true")
      case UInt8(ascii: "f"): try scanner.scanLiteral("false")
      case UInt8(ascii: "n"): try scanner.scanLiteral("null")
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try scanner.scanMagnitude()
      default: throw scanner.error(.expectedValue)
      }
      while let end = depth.last {
        if end == UInt8(ascii: "}") ? try nextKey() != nil : try nextElement() { break }
        depth.removeLast()
      }
      if depth.isEmpty { return start..<scanner.position }
    }
  }
}
