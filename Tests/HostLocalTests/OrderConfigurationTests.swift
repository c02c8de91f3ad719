import Testing

@testable import HostLocal

@Suite("The order of checks")
struct OrderConfigurationTests {
  /// One fault of each kind, in the order in which they are reported.
  private static let faults: [(name: String, problem: String)] = [
    ("text", "invalid IP address: 1.2.3"),
    ("type", "json: cannot unmarshal "),
    ("arguments", "ARGS: invalid pair \"X\""),
    ("entry", "cannot understand ip: IP <nil> not v4 nor v6"),
    ("set", "invalid range set 1: empty range set"),
    ("overlap", "range set 0 overlaps with 2"),
  ]

  /// What is reported of a configuration that has just these faults.
  private static func problem(_ faults: Set<String>) throws -> String? {
    var members = ["\"subnet\": \"10.1.2.0/24\""]
    if faults.contains("type") { members.append("\"dataDir\": 5") }
    if faults.contains("text") { members.append("\"gateway\": \"1.2.3\"") }
    var sets = [faults.contains("set") ? "[]" : "[{\"subnet\": \"10.2.0.0/24\"}]"]
    if faults.contains("overlap") { sets.append("[{\"subnet\": \"10.1.0.0/16\"}]") }
    members.append("\"ranges\": [\(sets.joined(separator: ", "))]")
    let runtime = faults.contains("entry") ? "\"runtimeConfig\": {\"ips\": [null]}" : ""
    return try ConfigurationDocument.problem(
      ipam: members.joined(separator: ", "),
      beside: runtime,
      arguments: faults.contains("arguments") ? "X" : ""
    )
  }

  @Test("of any two faults the one that is checked first is reported")
  func pairs() throws {
    #expect(try Self.problem([]) == nil)
    for (index, first) in Self.faults.enumerated() {
      #expect(try Self.problem([first.name])?.hasPrefix(first.problem) == true, "\(first.name)")
      for second in Self.faults[(index + 1)...] {
        let problem = try Self.problem([first.name, second.name])
        #expect(problem?.hasPrefix(first.problem) == true, "\(first.name) and \(second.name): \(problem ?? "none")")
      }
    }
    #expect(try Self.problem(Set(Self.faults.map(\.name))) == Self.faults[0].problem)
  }

  @Test("the first malformed address of the document is reported, wherever it stands")
  func firstText() throws {
    let ipam = #""ipam": {"subnet": "10.0.0.0/24", "gateway": "a"}"#
    let runtime = #""runtimeConfig": {"ips": ["b"]}"#
    let arguments = #""args": {"cni": {"ips": ["c"]}}"#
    #expect(
      try ConfigurationDocument.problem("{\"name\": \"web\", \(ipam), \(runtime), \(arguments)}")
        == "invalid IP address: a")
    #expect(
      try ConfigurationDocument.problem("{\"name\": \"web\", \(runtime), \(arguments), \(ipam)}")
        == "invalid IP address b")
    #expect(
      try ConfigurationDocument.problem("{\"name\": \"web\", \(arguments), \(ipam), \(runtime)}")
        == "invalid IP address c")
  }

  @Test("the first value of a wrong type is reported, wherever it stands")
  func firstType() throws {
    let document = ConfigurationDocument.document(
      ipam: #""dataDir": 5, "resolvConf": [], "gateway": true"#,
      beside: #""args": "x""#
    )
    #expect(
      try ConfigurationDocument.problem(document)?.hasPrefix("json: cannot unmarshal number into ") == true)
    #expect(
      try ConfigurationDocument.problem(ipam: #""rangeEnd": true, "dataDir": 5"#)?
        .hasPrefix("json: cannot unmarshal bool into ") == true)
  }

  @Test("a malformed address outside ipam is reported even if ipam is missing")
  func textBeforeSection() throws {
    let text = #"{"name": "web", "runtimeConfig": {"ips": ["x"]}}"#
    #expect(try ConfigurationDocument.problem(text) == "invalid IP address x")
    #expect(
      try ConfigurationDocument.problem(#"{"name": "web", "args": 5}"#)?.hasPrefix("json: cannot unmarshal ") == true)
    #expect(
      try ConfigurationDocument.problem(#"{"name": "web"}"#, arguments: "X") == "IPAM config missing 'ipam' key")
  }
}
