import Terminal
import Testing

@testable import ipamctl

@Suite("What is printed")
struct OutputTests {
  @Test("stands in aligned columns, without blanks at the ends of lines")
  func columns() {
    var table = TextTable(["ADDRESS", "CONTAINER", "WHY"])
    table.add(["10.1.2.2", "c", "short"])
    table.add(["::1", "größer", "much longer than its heading"])
    #expect(
      table.text == """
        ADDRESS   CONTAINER  WHY
        10.1.2.2  c          short
        ::1       größer     much longer than its heading
        """
    )
  }

  @Test("is a table of headings when there are no rows")
  func empty() {
    #expect(TextTable(["A", "B"]).text == "A  B")
  }

  @Test(
    "is a time in UTC",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (4_102_444_800, "2100-01-01T00:00:00Z"),
      (Int64.max, "9223372036854775807"),
    ]
  )
  func time(seconds: Int64, text: String) {
    #expect(TimeText.text(seconds: seconds) == text)
  }

  @Test("has no control characters of foreign files")
  func control() {
    #expect(PrintableText.of(Array("a\u{1B}[31m\r\nb\u{202E}ö".utf8)) == "a\\x1b[31m\\x0d\\x0ab\\u{202e}ö")
    #expect(PrintableText.of([0x63, 0xFF]) == "c\u{FFFD}")
  }
}
