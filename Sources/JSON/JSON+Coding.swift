// From bytes to values and back; the work is done by `JSONParser` and `JSONPrinter`.

extension JSON {
  /// Parses a whole document.
  ///
  /// The grammar is that of RFC 8259 with nothing added: no byte order mark, no comments, no trailing commas, nothing
  /// but white space around the value. Where the RFC leaves room, the answer is that of Go's encoding/json: each byte
  /// that is not part of well-formed UTF-8 and each lone surrogate escape becomes U+FFFD; duplicate members are kept.
  ///
  /// - Parameters:
  ///   - bytes: The document; offsets of errors count from its first byte.
  ///   - maximumDepth: How many arrays and objects may be open at once.
  /// - Throws: The first deviation from the grammar, in the order of the bytes.
  public init(parsing bytes: UnsafeRawBufferPointer, maximumDepth: Int = 10_000) throws(JSONError) {
    var parser = JSONParser(bytes, maximumDepth: maximumDepth)
    self = try parser.parseDocument()
  }

  /// Parses a whole document held in an array.
  ///
  /// - Parameters:
  ///   - bytes: The document; offsets of errors count from its first byte.
  ///   - maximumDepth: How many arrays and objects may be open at once.
  /// - Throws: The first deviation from the grammar, in the order of the bytes.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 10_000) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
      try JSON(parsing: UnsafeRawBufferPointer(buffer), maximumDepth: maximumDepth)
    }
  }

  /// Parses a whole document that is part of an array.
  ///
  /// - Parameters:
  ///   - bytes: The document; offsets of errors count from its first byte, not from that of the array behind it.
  ///   - maximumDepth: How many arrays and objects may be open at once.
  /// - Throws: The first deviation from the grammar, in the order of the bytes.
  public init(parsing bytes: ArraySlice<UInt8>, maximumDepth: Int = 10_000) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
      try JSON(parsing: UnsafeRawBufferPointer(buffer), maximumDepth: maximumDepth)
    }
  }

  /// Returns the value as UTF-8 text, without a newline at its end.
  public func encoded(_ format: JSONFormat = .compact) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(512)
    append(to: &output, format)
    return output
  }

  /// Appends the value as UTF-8 text to bytes that are there already.
  public func append(to output: inout [UInt8], _ format: JSONFormat = .compact) {
    var printer = JSONPrinter(format: format)
    // The printer owns the buffer while it writes, so that appending never finds it shared and copies it.
    swap(&printer.output, &output)
    printer.print(self)
    swap(&printer.output, &output)
  }
}
