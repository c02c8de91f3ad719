import CNI
import IPAddressing
import Testing

@testable import HostLocal

@Suite("Addresses asked for")
struct RequestedAddressesTests {
  private static func read(_ arguments: String) throws -> [String] {
    try RequestedAddresses.read(CNIArguments(Array(arguments.utf8))).map(\.description)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: String
    var addresses: [String] = []
    var testDescription: String { arguments.debugDescription }
  }

  @Test(
    "IP in CNI_ARGS asks for an address, whose prefix length is thrown away",
    arguments: [
      Case(arguments: ""),
      Case(arguments: "IP="),
      Case(arguments: "IP=10.1.2.10", addresses: ["10.1.2.10"]),
      Case(arguments: "IP=10.1.2.11/24", addresses: ["10.1.2.11"]),
      Case(arguments: "IP=10.1.2.11/0", addresses: ["10.1.2.11"]),
      Case(arguments: "IP=2001:DB8::5", addresses: ["2001:db8::5"]),
      Case(arguments: "IP=2001:db8::5/64", addresses: ["2001:db8::5"]),
      Case(arguments: "IP=::ffff:10.1.2.3", addresses: ["10.1.2.3"]),
      Case(arguments: "IP=::ffff:10.1.2.3/120", addresses: ["10.1.2.3"]),
      Case(arguments: "IP=10.1.2.1;IP=10.1.2.2", addresses: ["10.1.2.2"]),
      Case(arguments: "IP=10.1.2.1;IP="),
      Case(arguments: "IgnoreUnknown=1;IP=10.1.2.1;K8S_POD_NAME=web", addresses: ["10.1.2.1"]),
    ])
  func ip(example: Case) throws {
    #expect(try Self.read(example.arguments) == example.addresses)
  }

  @Test(
    "other keys are ignored if IgnoreUnknown is true, wherever it stands",
    arguments: [
      "IgnoreUnknown=1;FOO=BAR", "FOO=BAR;IgnoreUnknown=1", "IgnoreUnknown=true;X=", "IgnoreUnknown=TRUE;=",
      "IgnoreUnknown=tRuE;ip=x", "IgnoreUnknown=0;IgnoreUnknown=1;A=B", "A=B;IgnoreUnknown=false;IgnoreUnknown=True",
      "IgnoreUnknown=1;CommonArgs=1", "IgnoreUnknown=0", "IgnoreUnknown=1", "IgnoreUnknown=False",
    ])
  func ignored(arguments: String) throws {
    #expect(try Self.read(arguments).isEmpty)
  }

  struct Problem: Sendable, CustomTestStringConvertible {
    var arguments: String
    var problem: String
    var testDescription: String { arguments.debugDescription }
  }

  @Test(
    "other keys are refused unless they are ignored",
    arguments: [
      Problem(arguments: "FOO=BAR", problem: #"unknown args ["FOO=BAR"]"#),
      Problem(arguments: "FOO=BAR;IP=10.1.2.3;A=B", problem: #"unknown args ["FOO=BAR" "A=B"]"#),
      Problem(arguments: "FOO=BAR;IgnoreUnknown=0", problem: #"unknown args ["FOO=BAR"]"#),
      Problem(arguments: "FOO=BAR;IgnoreUnknown=false", problem: #"unknown args ["FOO=BAR"]"#),
      Problem(arguments: "IgnoreUnknown=1;FOO=BAR;IgnoreUnknown=0", problem: #"unknown args ["FOO=BAR"]"#),
      Problem(arguments: "ip=10.1.2.88", problem: #"unknown args ["ip=10.1.2.88"]"#),
      Problem(arguments: "ignoreunknown=1;X=Y", problem: #"unknown args ["ignoreunknown=1" "X=Y"]"#),
      Problem(arguments: "=", problem: #"unknown args ["="]"#),
      Problem(arguments: " IP=10.1.2.3", problem: #"unknown args [" IP=10.1.2.3"]"#),
      Problem(arguments: "A=\"\u{01}", problem: #"unknown args ["A=\"\x01"]"#),
      Problem(arguments: "CommonArgs=1", problem: #"unknown args ["CommonArgs=1"]"#),
    ])
  func unknown(example: Problem) {
    #expect(throws: HostLocalError(.configuration, "ARGS: \(example.problem)")) { try Self.read(example.arguments) }
  }

  @Test(
    "a piece that is no pair is refused, and so is a semicolon at the end",
    arguments: [
      Problem(arguments: "IP", problem: #"invalid pair "IP""#),
      Problem(arguments: "IP=10.1.2.3;", problem: #"invalid pair """#),
      Problem(arguments: ";", problem: #"invalid pair """#),
      Problem(arguments: "IP=10.1.2.3=4", problem: #"invalid pair "IP=10.1.2.3=4""#),
      Problem(arguments: "IgnoreUnknown=1;K8S_POD_NAME=a=b", problem: #"invalid pair "K8S_POD_NAME=a=b""#),
      Problem(arguments: #"a"b\c"#, problem: #"invalid pair "a\"b\\c""#),
    ])
  func invalidPairs(example: Problem) {
    #expect(throws: HostLocalError(.configuration, "ARGS: \(example.problem)")) { try Self.read(example.arguments) }
  }

  @Test(
    "a value that cannot be read is refused",
    arguments: [
      Problem(arguments: "IP=foo", problem: #""IP=foo": invalid IP address foo"#),
      Problem(arguments: "IP=10.1.2.3/33", problem: #""IP=10.1.2.3/33": invalid IP address 10.1.2.3/33"#),
      Problem(arguments: "IP=10.1.2.300", problem: #""IP=10.1.2.300": invalid IP address 10.1.2.300"#),
      Problem(arguments: "IP=10.1.2.3/", problem: #""IP=10.1.2.3/": invalid IP address 10.1.2.3/"#),
      Problem(arguments: "IP= 10.1.2.3", problem: #""IP= 10.1.2.3": invalid IP address  10.1.2.3"#),
      Problem(arguments: "IP=10.1.2.03", problem: #""IP=10.1.2.03": invalid IP address 10.1.2.03"#),
      Problem(arguments: "IP=fe80::1%eth0", problem: #""IP=fe80::1%eth0": invalid IP address fe80::1%eth0"#),
      Problem(arguments: "IP=10.1.2.1;IP=x", problem: #""IP=x": invalid IP address x"#),
      Problem(arguments: "IP=x;IP=10.1.2.1", problem: #""IP=x": invalid IP address x"#),
      Problem(
        arguments: "IgnoreUnknown=yes",
        problem: #""IgnoreUnknown=yes": boolean unmarshal error: invalid input yes"#
      ),
      Problem(
        arguments: "IgnoreUnknown=YES;FOO=BAR",
        problem: #""IgnoreUnknown=YES": boolean unmarshal error: invalid input yes"#
      ),
      Problem(arguments: "IgnoreUnknown=", problem: #""IgnoreUnknown=": boolean unmarshal error: invalid input "#),
    ])
  func values(example: Problem) {
    let expected = HostLocalError(.configuration, "ARGS: error parsing value of pair \(example.problem)")
    #expect(throws: expected) { try Self.read(example.arguments) }
  }

  @Test("faults of single pairs are raised in their order, and before unknown keys are judged")
  func order() {
    #expect(throws: HostLocalError(.configuration, #"ARGS: invalid pair "X""#)) { try Self.read("A=B;X;IP=foo") }
    let first = #"ARGS: error parsing value of pair "IP=foo": invalid IP address foo"#
    #expect(throws: HostLocalError(.configuration, first)) { try Self.read("A=B;IP=foo;X") }
  }

  @Test("requests of all sources are collected in their order, each address once")
  func sources() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.1.2.0/24""#,
      beside: """
        "runtimeConfig": {"ips": ["192.168.0.1", "192.168.0.5/24", "2001:db8::1/64", "10.1.2.11"]},
        "args": {"cni": {"ips": ["10.1.2.11", "11.11.11.11/24", "2001:DB8:1::11", "::ffff:10.1.2.10"]}}
        """,
      arguments: "IP=10.1.2.10"
    )
    #expect(
      configuration.requestedAddresses.map(\.description) == [
        "10.1.2.10", "10.1.2.11", "11.11.11.11", "2001:db8:1::11", "192.168.0.1", "192.168.0.5", "2001:db8::1",
      ])
  }

  @Test(
    "a malformed address in a list is refused without a colon",
    arguments: ["10.1.2", "10.1.2.3/40", "x y", "10.1.2.03", "::1%lo", " 10.1.2.3", "/24"])
  func malformed(text: String) throws {
    let problem = "invalid IP address \(text)"
    let range = #""subnet": "10.1.2.0/24""#
    let runtime = #""runtimeConfig": {"ips": ["\#(text)"]}"#
    #expect(try ConfigurationDocument.problem(ipam: range, beside: runtime) == problem)
    let arguments = #""args": {"cni": {"ips": ["10.1.2.3", "\#(text)"]}}"#
    #expect(try ConfigurationDocument.problem(ipam: range, beside: arguments) == problem)
  }

  @Test("an empty text or null in a list is refused", arguments: [#""""#, "null"])
  func emptyEntries(value: String) throws {
    let problem = "cannot understand ip: IP <nil> not v4 nor v6"
    let range = #""subnet": "10.1.2.0/24""#
    let runtime = #""runtimeConfig": {"ips": ["10.1.2.3", \#(value)]}"#
    #expect(try ConfigurationDocument.problem(ipam: range, beside: runtime) == problem)
    let arguments = #""args": {"cni": {"ips": [\#(value)]}}"#
    #expect(try ConfigurationDocument.problem(ipam: range, beside: arguments) == problem)
  }
}
