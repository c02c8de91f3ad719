import CNI
import FileSystem
import IPAM
import Testing

@testable import HostLocal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Files of DNS settings")
struct ResolverFileTests {
  private static func parse(_ text: String) throws -> DNSConfiguration {
    try ResolverFile.parse(Array(text.utf8))
  }

  private static func dns(
    nameservers: [String] = [],
    domain: String = "",
    search: [String] = [],
    options: [String] = []
  ) -> DNSConfiguration {
    var dns = DNSConfiguration()
    dns.nameservers = nameservers
    dns.domain = domain
    dns.search = search
    dns.options = options
    return dns
  }

  @Test("name servers may be indented")
  func indented() throws {
    let text = """
      # comment
          nameserver 192.0.2.0
      \tnameserver\t192.0.2.1
      nameserver   192.0.2.2   \t
      """
    #expect(try Self.parse(text) == Self.dns(nameservers: ["192.0.2.0", "192.0.2.1", "192.0.2.2"]))
  }

  @Test("every keyword is read, lists accumulate, and the last domain wins")
  func keywords() throws {
    let text = """
      nameserver 192.0.2.0
      domain old.example
      search example.net example.org
      options one two three
      ; comment
      domain example.com
      nameserver 192.0.2.0
      search example.gov
      options four
      sortlist 10.0.0.0
      nameservers 192.0.2.9
      """
    let expected = Self.dns(
      nameservers: ["192.0.2.0", "192.0.2.0"],
      domain: "example.com",
      search: ["example.net", "example.org", "example.gov"],
      options: ["one", "two", "three", "four"]
    )
    #expect(try Self.parse(text) == expected)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var nameservers: [String] = []
    var search: [String] = []
    var testDescription: String { text.debugDescription }
  }

  @Test(
    "lines are read by the rule",
    arguments: [
      Case(text: ""),
      Case(text: "\n\n"),
      Case(text: "nameserver"),
      Case(text: "nameserver \n"),
      Case(text: "nameserver 192.0.2.1", nameservers: ["192.0.2.1"]),
      Case(text: "nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n", nameservers: ["192.0.2.1", "192.0.2.2"]),
      Case(text: "nameserver 192.0.2.1\rnameserver 192.0.2.2", nameservers: ["192.0.2.1"]),
      Case(text: "nameserver 192.0.2.1 192.0.2.2 # more", nameservers: ["192.0.2.1"]),
      Case(text: "nameserver not-an-address", nameservers: ["not-an-address"]),
      Case(text: "NAMESERVER 192.0.2.1\nNameserver 192.0.2.1"),
      Case(text: "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n # nameserver x\n\t;nameserver x"),
      Case(text: "nameserver# 192.0.2.1"),
      Case(text: "nameserver #", nameservers: ["#"]),
      Case(text: "search a # b", search: ["a", "#", "b"]),
      Case(text: "search a a a", search: ["a", "a", "a"]),
      Case(text: "search\u{A0}a\u{2003}b\u{3000}c\u{85}d\u{0B}e\u{0C}f", search: ["a", "b", "c", "d", "e", "f"]),
      Case(text: "\u{2003}search a\u{2003}", search: ["a"]),
      Case(text: "search a\u{200B}b é", search: ["a\u{200B}b", "é"]),
      Case(text: "\u{FEFF}search a"),
    ])
  func lines(example: Case) throws {
    #expect(try Self.parse(example.text) == Self.dns(nameservers: example.nameservers, search: example.search))
  }

  @Test("bytes that are not UTF-8 divide nothing")
  func notText() throws {
    let dns = try ResolverFile.parse(Array("search a".utf8) + [0x85, 0xA0] + Array("b".utf8))
    #expect(dns.search == ["a\u{FFFD}\u{FFFD}b"])
  }

  @Test("a line of 65,535 bytes is read, one of 65,536 is refused")
  func longLines() throws {
    let word = String(repeating: "a", count: 65_535 - "search ".utf8.count)
    let longest = "search \(word)"
    for text in [longest, longest + "\n", "search x\n" + longest + "\nsearch y\n"] {
      #expect(try Self.parse(text).search.contains(word))
    }
    let tooLong = HostLocalError(.configuration, "bufio.Scanner: token too long")
    for text in [longest + "a", longest + "a\n", longest + "\r\n", "search x\n\(longest)a\n", "#" + longest] {
      #expect(throws: tooLong) { try Self.parse(text) }
    }
  }

  @Test("a file is read from its path, whatever its size")
  func files() throws {
    var template = Array("/tmp/resolv-conf-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    defer {
      close(descriptor)
      unlink(template)
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #expect(try ResolverFile.read(path).isEmpty)
    let servers = (0..<10_000).map { "2001:db8::\(String($0, radix: 16))" }
    let text = Array(servers.map { "nameserver \($0)\n" }.joined().utf8)
    try #require(write(descriptor, text, text.count) == text.count)
    #expect(try ResolverFile.read(path).nameservers == servers)
  }

  @Test("a file that cannot be read is reported in the system's words")
  func unreadable() {
    #expect(throws: HostLocalError(.system(ENOENT), "open /nonexistent/resolv.conf: no such file or directory")) {
      try ResolverFile.read("/nonexistent/resolv.conf")
    }
    #expect(throws: HostLocalError(.system(EISDIR), "read /tmp: is a directory")) { try ResolverFile.read("/tmp") }
    #expect(throws: HostLocalError(.system(ENOTDIR), "open /dev/null/x: not a directory")) {
      try ResolverFile.read("/dev/null/x")
    }
  }
}
