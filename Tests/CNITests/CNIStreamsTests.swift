import Testing

@testable import CNI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Standard streams")
struct CNIStreamsTests {
  /// Lengths below, at and above those of the pieces in which input is read.
  @Test(
    "everything is read to the end of the input",
    arguments: [0, 1, 16_383, 16_384, 16_385, 65_536, 81_920, 81_921, 300_000, 3_000_000])
  func reading(length: Int) throws {
    let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    let input = try ScratchFile(content)
    let streams = CNIStreams(input: input.descriptor, output: -1, diagnostics: -1)
    #expect(try streams.readInput() == content)
  }

  @Test("a pipe is read in the pieces it yields")
  func pipes() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let content = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for start in stride(from: 0, to: content.count, by: 3_000) {
      let piece = Array(content[start..<min(start + 3_000, content.count)])
      #expect(write(ends[1], piece, piece.count) == piece.count)
    }
    close(ends[1])
    #expect(try CNIStreams(input: ends[0], output: -1, diagnostics: -1).readInput() == content)
  }

  @Test("an input that cannot be read is an I/O failure with its reason")
  func unreadable() throws {
    let directory = open("/", O_RDONLY)
    defer { close(directory) }
    let error = CNIError(.ioFailure, "error reading from stdin: read /dev/stdin: is a directory")
    #expect(throws: error) { try CNIStreams(input: directory, output: -1, diagnostics: -1).readInput() }
    let closed = CNIError(.ioFailure, "error reading from stdin: read /dev/stdin: bad file descriptor")
    #expect(throws: closed) { try CNIStreams(input: -1, output: -1, diagnostics: -1).readInput() }
  }

  @Test("documents are written as they are, lines with a newline")
  func writing() throws {
    let output = try ScratchFile()
    let diagnostics = try ScratchFile()
    let streams = CNIStreams(input: -1, output: output.descriptor, diagnostics: diagnostics.descriptor)
    try streams.emit(Array("{".utf8))
    try streams.emit([])
    try streams.emit(Array("}".utf8))
    streams.log("one")
    streams.log("two")
    #expect(output.text == "{}")
    #expect(diagnostics.text == "one\ntwo\n")
  }

  @Test("an output that takes nothing is an I/O failure")
  func fullDevice() throws {
    let full = open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    defer { close(full) }
    let streams = CNIStreams(input: -1, output: full, diagnostics: full)
    #expect(throws: CNIError(.ioFailure, "write /dev/stdout: no space left on device")) {
      try streams.emit(Array("{}".utf8))
    }
    streams.log("nobody reads this")
  }
}
