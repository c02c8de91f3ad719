import IPAM
import Testing

@testable import CNI

@Suite("Error documents")
struct CNIErrorTests {
  private static func text(_ error: CNIError) -> String { String(decoding: error.encoded(), as: UTF8.self) }

  @Test("code, message and details are printed in this order, without a final newline")
  func complete() {
    let error = CNIError(.invalidNetworkConfiguration, "invalid characters found in network name", details: "a/b")
    #expect(
      Self.text(error) == """
        {
            "code": 7,
            "msg": "invalid characters found in network name",
            "details": "a/b"
        }
        """)
  }

  @Test("empty details are left out")
  func withoutDetails() {
    #expect(
      Self.text(CNIError(.internalFailure, "no IP ranges specified")) == """
        {
            "code": 999,
            "msg": "no IP ranges specified"
        }
        """)
    #expect(Self.text(CNIError(.ioFailure, "")) == "{\n    \"code\": 5,\n    \"msg\": \"\"\n}")
  }

  struct Escape: Sendable, CustomTestStringConvertible {
    var text: String
    var printed: String
    var testDescription: String { printed }
  }

  @Test(
    "texts are escaped as upstream escapes them",
    arguments: [
      Escape(text: "a\"b\\c/d", printed: #"a\"b\\c/d"#),
      Escape(text: "<&>", printed: #"\u003c\u0026\u003e"#),
      Escape(text: "\u{08}\u{0C}\n\r\t", printed: #"\b\f\n\r\t"#),
      Escape(text: "\0\u{01}\u{0B}\u{1F}\u{7F}", printed: #"\u0000\u0001\u000b\u001f"# + "\u{7F}"),
      Escape(text: "\u{2028}\u{2029}", printed: #"\u2028\u2029"#),
      Escape(text: "é漢😀", printed: "é漢😀"),
      Escape(text: "\u{FFFD}", printed: #"\ufffd"#),
    ])
  func escapes(example: Escape) {
    let document = Self.text(CNIError(.invalidEnvironment, example.text, details: example.text))
    let expected = """
      {
          "code": 4,
          "msg": "\(example.printed)",
          "details": "\(example.printed)"
      }
      """
    #expect(Array(document.utf8) == Array(expected.utf8))
  }

  @Test("the codes are those of the specification")
  func codes() {
    let numbers: [(CNIError.Code, Int)] = [
      (.incompatibleVersion, 1), (.invalidEnvironment, 4), (.ioFailure, 5), (.decodingFailure, 6),
      (.invalidNetworkConfiguration, 7), (.invalidNetworkNamespace, 8), (.pluginNotAvailable, 50),
      (.internalFailure, 999),
    ]
    for (code, number) in numbers {
      #expect(Self.text(CNIError(code, "x")) == "{\n    \"code\": \(number),\n    \"msg\": \"x\"\n}")
    }
  }

  struct Failure: IPAMFailure {
    var category: FailureCategory
    var message = "range is full"
    var details = "5 of 5"
  }

  @Test(
    "a backend's failure gets the code of its category",
    arguments: [
      (FailureCategory.failed, CNIError.Code.internalFailure),
      (.invalidConfiguration, .invalidNetworkConfiguration),
      (.unavailable, .pluginNotAvailable),
    ])
  func categories(category: FailureCategory, code: CNIError.Code) {
    let failure: any Error = Failure(category: category)
    #expect(CNIError(failure) == CNIError(code, "range is full", details: "5 of 5"))
  }

  private struct Other: Error, CustomStringConvertible {
    var description: String { "something else" }
  }

  @Test("an error of the protocol stays itself, any other is internal")
  func others() {
    let error = CNIError(.ioFailure, "read", details: "x")
    #expect(CNIError(error as any Error) == error)
    #expect(CNIError(Other()) == CNIError(.internalFailure, "something else"))
  }

  @Test("an error reads as its message, and its details if there are any")
  func description() {
    #expect(CNIError(.ioFailure, "a").description == "a")
    #expect(CNIError(.ioFailure, "a", details: "b").description == "a; b")
  }

  @Test("system errors are worded in lower case")
  func systemReasons() {
    let reasons: [Int32: String] = [
      1: "operation not permitted", 2: "no such file or directory", 13: "permission denied", 20: "not a directory",
      21: "is a directory", 24: "too many open files", 28: "no space left on device", 30: "read-only file system",
      36: "file name too long",
    ]
    for (number, text) in reasons { #expect(systemReason(number) == text) }
  }
}
