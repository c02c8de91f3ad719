import Testing

@testable import CNI

@Suite("Variables of a call")
struct CNIEnvironmentTests {
  struct Requirement: Sendable, CustomTestStringConvertible {
    var verb: String
    var missing: String
    var testDescription: String { verb }
  }

  @Test(
    "each verb names all variables it misses, in a fixed order",
    arguments: [
      Requirement(verb: "ADD", missing: "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
      Requirement(verb: "CHECK", missing: "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH"),
      Requirement(verb: "DEL", missing: "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH"),
      Requirement(verb: "GC", missing: "CNI_PATH"),
      Requirement(verb: "STATUS", missing: "CNI_PATH"),
      Requirement(verb: "", missing: "CNI_COMMAND"),
    ])
  func missing(example: Requirement) throws {
    let error = try #require(throws: CNIError.self) { try CNIEnvironment(command: example.verb).validate() }
    #expect(error == CNIError(.invalidEnvironment, "required env variables [\(example.missing)] missing"))
  }

  @Test(
    "VERSION and unknown verbs need nothing but the verb, whose case counts",
    arguments: ["VERSION", "FROB", "add", "Add", "del", " ADD", "ADD "])
  func onlyTheVerb(verb: String) throws {
    try CNIEnvironment(command: verb).validate()
    try CNIEnvironment(command: verb, containerID: "../x", interfaceName: "a/b").validate()
  }

  @Test("a complete environment is fine for every verb", arguments: ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"])
  func complete(verb: String) throws {
    try CNIEnvironment.complete(verb).validate()
  }

  @Test("DEL needs no namespace, ADD and CHECK do", arguments: ["ADD", "DEL", "CHECK"])
  func namespace(verb: String) throws {
    let environment = CNIEnvironment.complete(verb, networkNamespace: "")
    guard verb != "DEL" else { return try environment.validate() }
    let error = try #require(throws: CNIError.self) { try environment.validate() }
    #expect(error.message == "required env variables [CNI_NETNS] missing")
  }

  @Test("GC and STATUS take any container ID and interface name", arguments: ["GC", "STATUS"])
  func unusedValues(verb: String) throws {
    try CNIEnvironment(command: verb, containerID: "a/b", interfaceName: "a b", path: "/x").validate()
  }

  @Test("an invalid value is reported in preference to missing ones, even earlier ones")
  func invalidBeatsMissing() throws {
    let badID = CNIEnvironment(command: "ADD", containerID: "a/b")
    #expect(throws: CNIError(.invalidEnvironment, "invalid characters in containerID", details: "a/b")) {
      try badID.validate()
    }
    let badInterface = CNIEnvironment(command: "ADD", interfaceName: "..")
    #expect(throws: CNIError(.invalidEnvironment, "interface name is . or ..")) { try badInterface.validate() }
    let bothBad = CNIEnvironment(command: "DEL", containerID: "-x", interfaceName: "..")
    #expect(throws: CNIError(.invalidEnvironment, "invalid characters in containerID", details: "-x")) {
      try bothBad.validate()
    }
  }

  @Test(
    "a container ID begins with a letter or digit and goes on with these, underscores, dots and dashes",
    arguments: [
      ("c1", true), ("0", true), ("Z", true), ("a_b.c-d", true), ("1...", true),
      (String(repeating: "a", count: 300), true),
      ("-a", false), ("_a", false), (".a", false), ("a b", false), ("a/b", false), ("a\n", false), ("a\0", false),
      ("é", false), ("aé", false), (" a", false), ("a:b", false), ("../x", false), ("a\u{301}", false),
    ])
  func containerID(text: String, isValid: Bool) throws {
    var environment = CNIEnvironment.complete("ADD")
    environment.containerID = Array(text.utf8)
    guard !isValid else { return try environment.validate() }
    let error = try #require(throws: CNIError.self) { try environment.validate() }
    #expect(error == CNIError(.invalidEnvironment, "invalid characters in containerID", details: text))
  }

  @Test("bytes that are not UTF-8 are invalid in a container ID")
  func containerIDBytes() throws {
    var environment = CNIEnvironment.complete("DEL")
    environment.containerID = [0x61, 0xFF]
    let error = try #require(throws: CNIError.self) { try environment.validate() }
    #expect(error.details == "a\u{FFFD}")
  }

  @Test(
    "an interface name may be anything the kernel takes",
    arguments: [
      "e", "eth0", "...", ".x", "a\\b", "a@b", "eth0.100", "123456789012345", "éééééééo", "-", "%d", "\u{200B}x",
      "a\u{180E}",
    ])
  func validInterfaceName(name: String) throws {
    var environment = CNIEnvironment.complete("ADD")
    environment.interfaceName = Array(name.utf8)
    try environment.validate()
    environment.interfaceName = [0xFF, 0xFE, 0x85, 0xA0]
    try environment.validate()
  }

  @Test(
    "an interface name of more than 15 bytes is too long",
    arguments: ["1234567890123456", "éééééééé", "/234567890123456"])
  func longInterfaceName(name: String) {
    var environment = CNIEnvironment.complete("ADD")
    environment.interfaceName = Array(name.utf8)
    let error = CNIError(
      .invalidEnvironment,
      "interface name is too long",
      details: "interface name should be less than 16 characters"
    )
    #expect(throws: error) { try environment.validate() }
  }

  @Test("an interface is not named like a directory link", arguments: [".", ".."])
  func dots(name: String) {
    var environment = CNIEnvironment.complete("CHECK")
    environment.interfaceName = Array(name.utf8)
    #expect(throws: CNIError(.invalidEnvironment, "interface name is . or ..")) { try environment.validate() }
  }

  static let whiteSpace: [UInt32] =
    Array(0x09...0x0D) + [0x20, 0x85, 0xA0, 0x1680] + Array(0x2000...0x200A) + [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]

  @Test("slashes, colons and white space are refused in an interface name", arguments: whiteSpace + [0x2F, 0x3A])
  func forbiddenInInterfaceName(number: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(number))
    let expected = CNIError(.invalidEnvironment, "interface name contains / or : or whitespace characters")
    for name in ["\(scalar)", "a\(scalar)", "\(scalar)a", "a\(scalar)b"] {
      var environment = CNIEnvironment.complete("DEL")
      environment.interfaceName = Array(name.utf8)
      #expect(throws: expected) { try environment.validate() }
    }
  }

  @Test(
    "the namespace check is turned off by 1 and true, in any case",
    arguments: [
      ("1", true), ("true", true), ("TRUE", true), ("True", true), ("tRuE", true), ("", false), ("0", false),
      ("false", false), ("yes", false), ("t", false), ("11", false), (" 1", false), ("true ", false),
    ])
  func override(text: String, isOff: Bool) {
    #expect(CNIEnvironment(networkNamespaceOverride: text).overridesNamespaceCheck == isOff)
  }

  @Test("only the six verbs of the specification are known")
  func verbs() {
    #expect(CNIEnvironment(command: "ADD").verb == .add)
    #expect(CNIEnvironment(command: "DEL").verb == .del)
    #expect(CNIEnvironment(command: "CHECK").verb == .check)
    #expect(CNIEnvironment(command: "GC").verb == .gc)
    #expect(CNIEnvironment(command: "STATUS").verb == .status)
    #expect(CNIEnvironment(command: "VERSION").verb == .version)
    #expect(CNIEnvironment(command: "UPDATE").verb == nil)
    #expect(CNIEnvironment().verb == nil)
  }
}
