import Logging
import Testing

@testable import ipam_node

@Suite("Log lines")
struct LineLogHandlerTests {
  @Test("for people have time, level, part, message and sorted facts")
  func text() {
    let lines = LogLines()
    var logger = lines.logger("routing", .text)
    logger[metadataKey: "node"] = "n1"
    logger.warning("held back", metadata: ["kind": "Foreign", "reason": "BIRD has it", "empty": ""])
    #expect(
      lines.all == [#"NOW warning routing: held back empty="" kind=Foreign node=n1 reason="BIRD has it""#])
  }

  @Test("for programs are one JSON object each")
  func json() throws {
    let lines = LogLines()
    lines.logger("routing", .json).error(
      "a \"quoted\"\nmessage", metadata: ["list": ["a", "b"], "part": "never replaced"])
    #expect(
      lines.all == [
        #"{"time":"NOW","level":"error","part":"routing","message":"a \"quoted\"\nmessage","list":["a","b"]}"#
      ])
  }

  @Test("stay one line each, whatever they hold")
  func oneLine() {
    let lines = LogLines()
    lines.logger("routing", .text).info("a\nb\u{1B}[2J", metadata: ["name": "x\ny=\"z\""])
    #expect(lines.all.count == 1)
    #expect(lines.all.first?.unicodeScalars.contains { $0.value < 0x20 } == false)
  }

  @Test("below the level are not written")
  func levels() {
    let lines = LogLines()
    let logger = lines.logger("routing", .text, level: .notice)
    logger.info("not this")
    logger.notice("this")
    #expect(lines.all == ["NOW notice routing: this"])
  }
}
