import Testing

@testable import HostLocal

@Suite("Paths as text")
struct LexicalPathTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var base: String
    var joined: String
    var testDescription: String { base }
  }

  @Test(
    "repeated slashes, dots and double dots are resolved",
    arguments: [
      Case(base: "/var/lib/cni/networks", joined: "/var/lib/cni/networks/web"),
      Case(base: "/var/lib/cni/networks/", joined: "/var/lib/cni/networks/web"),
      Case(base: "//var///lib//", joined: "/var/lib/web"),
      Case(base: "/var/./lib/.", joined: "/var/lib/web"),
      Case(base: "/var/lib/../run", joined: "/var/run/web"),
      Case(base: "/var/lib/..", joined: "/var/web"),
      Case(base: "/var/../..", joined: "/web"),
      Case(base: "/../../x", joined: "/x/web"),
      Case(base: "/a/b/../../c/./d/..", joined: "/c/web"),
      Case(base: "/", joined: "/web"),
      Case(base: "/.", joined: "/web"),
      Case(base: "/...", joined: "/.../web"),
      Case(base: "/.hidden/..x", joined: "/.hidden/..x/web"),
      Case(base: "/a b/ü", joined: "/a b/ü/web"),
    ])
  func absolute(example: Case) {
    #expect(LexicalPath.joined(example.base, "web") == example.joined)
  }

  @Test(
    "a relative path stays relative",
    arguments: [
      Case(base: "state", joined: "state/web"),
      Case(base: "./state/", joined: "state/web"),
      Case(base: ".", joined: "web"),
      Case(base: "", joined: "web"),
      Case(base: "..", joined: "../web"),
      Case(base: "../..", joined: "../../web"),
      Case(base: "a/../..", joined: "../web"),
      Case(base: "a/../../b", joined: "../b/web"),
      Case(base: "../a/..", joined: "../web"),
      Case(base: " ", joined: " /web"),
    ])
  func relative(example: Case) {
    #expect(LexicalPath.joined(example.base, "web") == example.joined)
  }

  @Test("a slash divides whatever follows it")
  func combiningCharacters() {
    #expect(LexicalPath.joined("/a/\u{301}b/..", "web") == "/a/web")
  }

  @Test("a name goes below the base as it is")
  func names() {
    #expect(LexicalPath.joined("/x", "a.b-c_d") == "/x/a.b-c_d")
    #expect(LexicalPath.joined("/x", "...") == "/x/...")
  }

  @Test("the parent of a path holds it; the root and a single relative name have none")
  func parents() {
    #expect(LexicalPath.parent(of: "/a/b/c") == "/a/b")
    #expect(LexicalPath.parent(of: "/a/b") == "/a")
    #expect(LexicalPath.parent(of: "/a") == "/")
    #expect(LexicalPath.parent(of: "/") == nil)
    #expect(LexicalPath.parent(of: "a/b") == "a")
    #expect(LexicalPath.parent(of: "../a") == "..")
    #expect(LexicalPath.parent(of: "a") == nil)
    #expect(LexicalPath.parent(of: "") == nil)
  }
}
