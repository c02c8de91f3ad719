import JSON
import Testing

@testable import CNI

@Suite("The document on stdin")
struct NetworkConfigurationTests {
  private static func parse(_ text: String) throws(CNIError) -> NetworkConfiguration {
    try NetworkConfiguration(parsing: Array(text.utf8))
  }

  @Test(
    "the name is found whatever the case of its key, and the last one counts",
    arguments: [
      (#"{"name": "web"}"#, "web"),
      (#"{"NAME": "web"}"#, "web"),
      (#"{"Name": "a", "nAmE": "web"}"#, "web"),
      (#"{"name": "web", "name": null}"#, "web"),
      (#"{"name": "0.a_b-C", "ipam": 7, "names": 5}"#, "0.a_b-C"),
      (#"{"name": "", "name": "web"}"#, "web"),
      ("\t\r\n {\"n\\u0061me\": \"web\"} \n", "web"),
    ])
  func name(text: String, name: String) throws {
    #expect(try Self.parse(text).name == name)
  }

  @Test(
    "a missing, null or empty name is reported",
    arguments: [
      "{}", "null", #"{"name": ""}"#, #"{"name": null}"#, #"{"names": "web"}"#, #"{"cniVersion": "1.1.0"}"#,
      #"{"name": "web", "name": ""}"#, #"{"ipam": {"name": "web"}}"#,
    ])
  func missingName(text: String) {
    #expect(throws: CNIError(.invalidNetworkConfiguration, "missing network name")) { try Self.parse(text) }
  }

  @Test(
    "a name that cannot name a directory is reported with the name",
    arguments: ["a/b", "..", ".", "../x", "-a", "_a", "a b", "a\n", "é", "a:b", " a", "a\0", "<a>"])
  func invalidName(name: String) throws {
    let document = JSON.object(["name": .string(name)]).encoded()
    let expected = CNIError(
      .invalidNetworkConfiguration,
      "invalid characters found in network name",
      details: name
    )
    #expect(throws: expected) { try NetworkConfiguration(parsing: document) }
  }

  struct Problem: Sendable, CustomTestStringConvertible {
    var text: String
    var message: String
    var testDescription: String { text }
  }

  @Test(
    "what is no object with a name of type string is a decoding failure",
    arguments: [
      Problem(text: "", message: "unexpected end of JSON input"),
      Problem(text: " ", message: "unexpected end of JSON input"),
      Problem(text: #"{"name": "web""#, message: "unexpected end of JSON input"),
      Problem(text: "hello", message: "invalid character 'h' looking for beginning of value"),
      Problem(
        text: #"{"name": "web",}"#,
        message: "invalid character '}' looking for beginning of object key string"
      ),
      Problem(text: #"{"name": "web"} x"#, message: "invalid character 'x' after top-level value"),
      Problem(
        text: #"{"name": "web" "type": 1}"#,
        message: #"invalid character '"' after object key:value pair"#
      ),
      Problem(text: "{\"name\": \"w\u{01}\"}", message: #"invalid character '\x01' in string literal"#),
      Problem(text: "\u{FEFF}{}", message: "invalid character 'ï' looking for beginning of value"),
      Problem(
        text: #"{"name": 7}"#,
        message: "json: cannot unmarshal number into Go struct field .name of type string"
      ),
      Problem(
        text: #"{"name": ["web"], "name": "web"}"#,
        message: "json: cannot unmarshal array into Go struct field .name of type string"
      ),
      Problem(
        text: #"{"name": true, "NAME": {}}"#,
        message: "json: cannot unmarshal bool into Go struct field .name of type string"
      ),
    ])
  func decodingFailures(example: Problem) {
    let expected = CNIError(.decodingFailure, "error unmarshall network config: \(example.message)")
    #expect(throws: expected) { try Self.parse(example.text) }
  }

  @Test("a document that is no object is refused", arguments: ["[]", "7", "true", #""web""#, "[{\"name\": \"web\"}]"])
  func notAnObject(text: String) throws {
    let error = try #require(throws: CNIError.self) { try Self.parse(text) }
    #expect(error.code == .decodingFailure)
    #expect(error.message.hasPrefix("error unmarshall network config: json: cannot unmarshal "))
  }

  @Test("a fault anywhere in the document is found, even behind a good name")
  func faultElsewhere() {
    let expected = CNIError(
      .decodingFailure,
      "error unmarshall network config: invalid character 'x' looking for beginning of value"
    )
    #expect(throws: expected) { try Self.parse(#"{"name": "web", "ipam": {"y": x}}"#) }
  }

  @Test("2,000 levels are read, 10,001 are refused")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      #"{"name": "web", "x": "# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    }
    #expect(try Self.parse(nested(2_000)).name == "web")
    let error = try #require(throws: CNIError.self) { try Self.parse(nested(10_000)) }
    #expect(
      error == CNIError(.decodingFailure, "error unmarshall network config: invalid character '[' exceeded max depth"))
  }

  @Test("the whole document is kept for the backend")
  func document() throws {
    let configuration = try Self.parse(#"{"name": "web", "ipam": {"subnet": "10.0.0.0/8"}, "x": [1, 2.50]}"#)
    #expect(configuration.document.members.map(\.key) == ["name", "ipam", "x"])
    #expect(configuration.document["x"]?.arrayValue?.last?.numberValue?.literal == "2.50")
    #expect(configuration.document["ipam"]?.objectValue?["subnet"]?.stringValue == "10.0.0.0/8")
  }

  @Test(
    "the version is the last text under its key, and 0.1.0 without one",
    arguments: [
      (#"{"name": "web"}"#, "0.1.0"),
      (#"{"name": "web", "cniVersion": ""}"#, "0.1.0"),
      (#"{"name": "web", "cniVersion": null}"#, "0.1.0"),
      (#"{"name": "web", "cniVersion": "1.0.0"}"#, "1.0.0"),
      (#"{"name": "web", "CNIVERSION": "0.4.0"}"#, "0.4.0"),
      (#"{"name": "web", "cniverſion": "0.3.1"}"#, "0.3.1"),
      (#"{"name": "web", "cniVersion": "0.4.0", "cniversion": "9.9.9"}"#, "9.9.9"),
      (#"{"name": "web", "cniVersion": "0.4.0", "cniVersion": null}"#, "0.4.0"),
    ])
  func version(text: String, version: String) throws {
    #expect(try Self.parse(text).version().description == version)
  }

  @Test("a version that is no text is a decoding failure", arguments: ["1", "true", "{}", "[]", "1.1"])
  func versionType(value: String) throws {
    let configuration = try Self.parse(#"{"name": "web", "cniVersion": \#(value)}"#)
    let error = try #require(throws: CNIError.self) { try configuration.version() }
    #expect(error.code == .decodingFailure)
    let kind = ["1": "number", "1.1": "number", "true": "bool", "{}": "object", "[]": "array"][value] ?? ""
    #expect(
      error.message == "decoding version from network config: "
        + "json: cannot unmarshal \(kind) into Go struct field .cniVersion of type string")
  }
}
