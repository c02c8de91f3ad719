import Testing

@testable import CNI

@Suite("Versions")
struct CNIVersionTests {
  @Test("seven versions are supported, oldest first")
  func supported() {
    #expect(
      CNIVersion.supported.map(\.description) == ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
    #expect(CNIVersion.newest.description == "1.1.0")
    #expect(CNIVersion.unstated.description == "0.1.0")
  }

  @Test(
    "support is equality of text",
    arguments: [
      "", "1", "1.0", "1.1", "01.0.0", "1.0.1", "v1.0.0", "1.0.0 ", " 1.0.0", "1.2.0", "0.3.2", "+1.0.0", "1.1.0-rc1",
    ])
  func unsupported(text: String) {
    #expect(!CNIVersion(text).isSupported)
  }

  @Test("each supported version is supported")
  func each() {
    for version in CNIVersion.supported { #expect(CNIVersion(version.description).isSupported) }
  }

  struct Parts: Sendable, CustomTestStringConvertible {
    var text: String
    var major: Int
    var minor = 0
    var micro = 0
    var testDescription: String { text }
  }

  @Test(
    "one to three decimal parts are read, missing ones are 0",
    arguments: [
      Parts(text: "1", major: 1),
      Parts(text: "1.2", major: 1, minor: 2),
      Parts(text: "1.2.3", major: 1, minor: 2, micro: 3),
      Parts(text: "0.4.0", major: 0, minor: 4),
      Parts(text: "01.002.0003", major: 1, minor: 2, micro: 3),
      Parts(text: "+1.+2.+3", major: 1, minor: 2, micro: 3),
      Parts(text: "-1.-2.-3", major: -1, minor: -2, micro: -3),
      Parts(text: "-0.1", major: 0, minor: 1),
      Parts(text: "9223372036854775807", major: .max),
      Parts(text: "-9223372036854775808", major: .min),
      Parts(text: "000000000000000000000000000001", major: 1),
    ])
  func parts(example: Parts) throws {
    let parts = try CNIVersion(example.text).parts()
    #expect(parts == VersionParts(major: example.major, minor: example.minor, micro: example.micro))
  }

  struct Problem: Sendable, CustomTestStringConvertible {
    var text: String
    var message: String
    var testDescription: String { text }
  }

  @Test(
    "what cannot be compared is a decoding failure",
    arguments: [
      Problem(text: "1.1.0.0", message: #"invalid version "1.1.0.0": too many parts"#),
      Problem(text: "a.b.c.d.e", message: #"invalid version "a.b.c.d.e": too many parts"#),
      Problem(text: "...", message: #"invalid version "...": too many parts"#),
      Problem(
        text: "v1",
        message: #"failed to convert major version part "v1": strconv.Atoi: parsing "v1": invalid syntax"#
      ),
      Problem(
        text: "v1.0.0",
        message: #"failed to convert major version part "v1": strconv.Atoi: parsing "v1": invalid syntax"#
      ),
      Problem(
        text: "1.x.y",
        message: #"failed to convert minor version part "x": strconv.Atoi: parsing "x": invalid syntax"#
      ),
      Problem(
        text: "1.0.0-rc1",
        message: #"failed to convert micro version part "0-rc1": strconv.Atoi: parsing "0-rc1": invalid syntax"#
      ),
      Problem(
        text: "1..0",
        message: #"failed to convert minor version part "": strconv.Atoi: parsing "": invalid syntax"#
      ),
      Problem(
        text: ".", message: #"failed to convert major version part "": strconv.Atoi: parsing "": invalid syntax"#),
      Problem(
        text: "1.-",
        message: #"failed to convert minor version part "-": strconv.Atoi: parsing "-": invalid syntax"#
      ),
      Problem(
        text: "1.+-2",
        message: #"failed to convert minor version part "+-2": strconv.Atoi: parsing "+-2": invalid syntax"#
      ),
      Problem(
        text: "1. 2",
        message: #"failed to convert minor version part " 2": strconv.Atoi: parsing " 2": invalid syntax"#
      ),
      Problem(
        text: "\"\n",
        message: #"failed to convert major version part "\"\n": strconv.Atoi: parsing "\"\n": invalid syntax"#
      ),
      Problem(
        text: "9223372036854775808",
        message: #"failed to convert major version part "9223372036854775808": strconv.Atoi: parsing "#
          + #""9223372036854775808": value out of range"#
      ),
      Problem(
        text: "1.0.-9223372036854775809",
        message: #"failed to convert micro version part "-9223372036854775809": strconv.Atoi: parsing "#
          + #""-9223372036854775809": value out of range"#
      ),
    ])
  func problems(example: Problem) {
    #expect(throws: CNIError(.decodingFailure, example.message)) { try CNIVersion(example.text).parts() }
  }

  @Test("versions are compared part by part, as numbers")
  func comparing() throws {
    let texts = ["-1", "0.3.9", "0.4", "0.4.1", "0.10.0", "1", "1.0.1", "1.1", "1.1.1", "1.10", "2.0.0", "10"]
    let parts = try texts.map { try CNIVersion($0).parts() }
    for (left, right) in zip(parts, parts.dropFirst()) {
      #expect(left < right)
      #expect(!(right < left))
    }
    #expect(try CNIVersion("1.1").parts() == CNIVersion("01.1.0").parts())
  }
}
