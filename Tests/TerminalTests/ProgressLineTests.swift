import Synchronization
import Testing

@testable import Terminal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("A progress line")
final class ProgressLineTests {
  private static let millisecond: UInt64 = 1_000_000

  /// A clock that the test moves.
  private final class Clock: Sendable {
    private let time = Mutex<UInt64>(1_000_000_000)
    var now: UInt64 { time.withLock { $0 } }
    func advance(milliseconds: UInt64) { time.withLock { $0 += milliseconds * ProgressLineTests.millisecond } }
  }

  private let clock = Clock()
  private var descriptors: [Int32] = [-1, -1]

  init() throws {
    try #require(pipe(&descriptors) == 0)
    try #require(fcntl(descriptors[0], F_SETFL, O_NONBLOCK) == 0)
  }

  deinit { for descriptor in descriptors { close(descriptor) } }

  private func line(isTerminal: Bool = true) -> ProgressLine {
    let clock = clock
    return ProgressLine(descriptor: descriptors[1], isTerminal: isTerminal) { clock.now }
  }

  /// What was written since the last question.
  private func written() -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptors[0], &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  @Test("is not shown while the work has just begun")
  func patience() {
    let line = line()
    line.show("reading: 1")
    clock.advance(milliseconds: 399)
    line.show("reading: 2")
    #expect(written() == "")
    line.erase()
    #expect(written() == "")
  }

  @Test("is shown in place of the last one, and erased")
  func shown() {
    let line = line()
    line.show("reading: 1")
    clock.advance(milliseconds: 400)
    line.show("reading: 2")
    #expect(written() == "\r\u{1b}[Kreading: 2")
    clock.advance(milliseconds: 100)
    line.show("reading: 3")
    #expect(written() == "\r\u{1b}[Kreading: 3")
    line.erase()
    #expect(written() == "\r\u{1b}[K")
    line.erase()
    #expect(written() == "", "what is erased is not erased again")
  }

  @Test("changes ten times a second at most, however often it is told")
  func interval() {
    let line = line()
    line.show("0")
    clock.advance(milliseconds: 500)
    for _ in 0..<1000 {
      line.show("x")
      clock.advance(milliseconds: 1)
    }
    #expect(written().split(separator: "\r").count == 10)
  }

  @Test("is as patient with the next piece of work as with the first")
  func again() {
    let line = line()
    line.show("first")
    clock.advance(milliseconds: 500)
    line.show("first")
    line.erase()
    _ = written()
    line.show("second")
    clock.advance(milliseconds: 300)
    line.show("second")
    #expect(written() == "")
  }

  @Test("is nothing where no terminal looks on, and its text is not even made")
  func pipeline() {
    let line = line(isTerminal: false)
    for _ in 0..<3 {
      line.show(
        {
          Issue.record("the text was made")
          return ""
        }())
      clock.advance(milliseconds: 1000)
    }
    line.erase()
    #expect(written() == "")
  }

  @Test("has no control characters of what it tells of")
  func control() {
    let line = line()
    line.show("")
    clock.advance(milliseconds: 500)
    line.show("pool \u{1b}[2J\n")
    #expect(written() == "\r\u{1b}[Kpool \\x1b[2J\\x0a")
  }

  @Test("is cut off before it would wrap round", arguments: [(10, "123456789"), (9, "1234567…"), (1, "…"), (0, "…")])
  func width(_ columns: Int, _ expected: String) {
    #expect(ProgressLine.cut("123456789", to: columns) == expected)
  }

  @Test(
    "writes numbers in groups",
    arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-65_536, "-65,536")])
  func numbers(_ number: Int, _ expected: String) {
    #expect(number.grouped == expected)
  }
}
