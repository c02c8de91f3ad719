import Testing

@testable import HostLocal

@Suite("Sets that a version has room for")
struct VersionConfigurationTests {
  private static func document(_ version: String?, _ subnets: [String]) -> String {
    let sets = subnets.map { #"[{"subnet": "\#($0)"}]"# }.joined(separator: ", ")
    let member = version.map { #""cniVersion": "\#($0)", "# } ?? ""
    return #"{\#(member)"name": "web", "ipam": {"ranges": [\#(sets)]}}"#
  }

  @Test(
    "two sets of a family are too many before 0.3.0",
    arguments: [["10.0.0.0/24", "10.0.1.0/24"], ["::/64", "0:0:0:1::/64"], ["10.0.0.0/24", "::/64", "10.0.1.0/24"]])
  func tooMany(subnets: [String]) throws {
    for version in ["0.1.0", "0.2.0"] {
      #expect(
        try ConfigurationDocument.problem(Self.document(version, subnets))
          == "CNI version \(version) does not support more than 1 address per family")
    }
    for version in ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
      #expect(try ConfigurationDocument.problem(Self.document(version, subnets)) == nil, "version \(version)")
    }
  }

  @Test("an absent or empty version leaves two blanks in the message", arguments: [nil, ""] as [String?])
  func absent(version: String?) throws {
    #expect(
      try ConfigurationDocument.problem(Self.document(version, ["10.0.0.0/24", "10.0.1.0/24"]))
        == "CNI version  does not support more than 1 address per family")
  }

  @Test("one set of each family, and any number of ranges, is fine for every version")
  func onePerFamily() throws {
    for version in [nil, "0.1.0", "0.2.0", "1.1.0"] {
      #expect(try ConfigurationDocument.problem(Self.document(version, ["10.0.0.0/24", "2001:db8::/64"])) == nil)
      #expect(try ConfigurationDocument.problem(Self.document(version, ["2001:db8::/64", "10.0.0.0/24"])) == nil)
    }
    let ranges = #"{"name": "web", "ipam": {"ranges": [[{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.1.0/24"}]]}}"#
    #expect(try ConfigurationDocument.problem(ranges) == nil)
  }

  @Test("sets of all sources are counted together")
  func sources() throws {
    let text = #"""
      {"cniVersion": "0.2.0", "name": "web", "ipam": {"subnet": "10.0.0.0/24"},
       "runtimeConfig": {"ipRanges": [[{"subnet": "10.0.1.0/24"}]]}}
      """#
    #expect(
      try ConfigurationDocument.problem(text)
        == "CNI version 0.2.0 does not support more than 1 address per family")
  }
}
