#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The three standard streams of a plugin, by descriptor.
public struct CNIStreams: Sendable {
  let input: Int32
  let output: Int32
  let diagnostics: Int32

  public init(input: Int32, output: Int32, diagnostics: Int32) {
    self.input = input
    self.output = output
    self.diagnostics = diagnostics
  }

  /// stdin, stdout and stderr.
  public static let ofProcess = CNIStreams(input: STDIN_FILENO, output: STDOUT_FILENO, diagnostics: STDERR_FILENO)

  /// Everything on the input, to its end.
  ///
  /// - Throws: ``CNIError`` with code 5.
  func readInput() throws(CNIError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = 16 * 1024
    while true {
      var failure: Int32 = 0
      let start = bytes.count
      // Grows by what is read, so that a short document needs one call and no copy.
      let piece = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = read(input, buffer.baseAddress, chunk)
        if result < 0 { failure = errno }
        count = max(0, result)
      }
      if failure == EINTR { continue }
      guard failure == 0 else {
        throw CNIError(.ioFailure, "error reading from stdin: read /dev/stdin: \(systemReason(failure))")
      }
      if piece.isEmpty { return bytes }
      if start == 0 { bytes = piece } else { bytes.append(contentsOf: piece) }
      if piece.count == chunk { chunk = min(chunk * 4, 1 << 20) }
    }
  }

  /// Writes a document to the output.
  ///
  /// - Throws: ``CNIError`` with code 5 when not all of it could be written.
  func emit(_ bytes: [UInt8]) throws(CNIError) {
    let failure = Self.writeAll(bytes, to: output)
    guard failure == 0 else {
      throw CNIError(.ioFailure, "write /dev/stdout: \(systemReason(failure))")
    }
  }

  /// Writes a line to the diagnostics; a failure to do so has nobody to be told to.
  public func log(_ line: String) {
    _ = Self.writeAll(Array((line + "\n").utf8), to: diagnostics)
  }

  /// Returns 0, or the error number.
  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = rest.dropFirst(written)
    }
    return 0
  }
}

/// An error number as upstream's runtime words it: the C library's text, in lower case.
public func systemReason(_ errorNumber: Int32) -> String {
  guard let text = strerror(errorNumber) else { return "error \(errorNumber)" }
  return String(cString: text).lowercased()
}
