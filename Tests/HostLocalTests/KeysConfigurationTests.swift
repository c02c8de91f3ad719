import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("Keys of a configuration")
struct KeysConfigurationTests {
  @Test("an old configuration has one set of one range")
  func oldStyle() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: """
        "type": "host-local", "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9", "rangeEnd": "10.1.2.20",
        "gateway": "10.1.2.30"
        """)
    #expect(configuration.name == "web")
    #expect(configuration.rangeSets.map(\.description) == ["10.1.2.9-10.1.2.20"])
    #expect(configuration.rangeSets.first?.ranges.first?.gateway == IPAddress("10.1.2.30"))
    #expect(configuration.rangeSets.first?.ranges.first?.subnet == CIDR("10.1.2.0/24"))
    #expect(configuration.requestedAddresses.isEmpty)
    #expect(configuration.routes.isEmpty)
    #expect(configuration.resolverFile == nil)
    #expect(configuration.options == HostLocalOptions())
  }

  @Test("a new configuration has sets of ranges")
  func newStyle() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: """
        "ranges": [
          [{"subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9", "rangeEnd": "10.1.2.20", "gateway": "10.1.2.30"},
           {"subnet": "10.1.4.0/24"}],
          [{"subnet": "11.1.2.0/24", "rangeStart": "11.1.2.9", "rangeEnd": "11.1.2.20", "gateway": "11.1.2.30"}]
        ]
        """)
    #expect(
      configuration.rangeSets.map(\.description)
        == ["10.1.2.9-10.1.2.20,10.1.4.1-10.1.4.254", "11.1.2.9-11.1.2.20"])
    #expect(configuration.rangeSets.last?.ranges.first?.gateway == IPAddress("11.1.2.30"))
  }

  @Test("ranges of the runtime come before the old form, and that before the new one")
  func mixed() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""ranges": [[{"subnet": "12.1.3.0/24"}]], "subnet": "10.1.2.0/24", "rangeStart": "10.1.2.9""#,
      beside: #""runtimeConfig": {"ipRanges": [[{"subnet": "11.1.2.0/24"}], [{"subnet": "2001:db8::/64"}]]}"#
    )
    #expect(
      configuration.rangeSets.map(\.description) == [
        "11.1.2.1-11.1.2.254", "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff", "10.1.2.9-10.1.2.254",
        "12.1.3.1-12.1.3.254",
      ])
  }

  @Test("the members of the old form mean nothing without a subnet")
  func siblingsAlone() throws {
    let members = #""rangeStart": "1.2.3.4", "rangeEnd": "::1", "gateway": "9.9.9.9""#
    let configuration = try ConfigurationDocument.read(ipam: members + #", "ranges": [[{"subnet": "10.0.0.0/29"}]]"#)
    #expect(configuration.rangeSets.map(\.description) == ["10.0.0.1-10.0.0.6"])
    #expect(try ConfigurationDocument.problem(ipam: members) == "no IP ranges specified")
  }

  @Test(
    "keys match without regard to case, in simple Unicode folding",
    arguments: [
      #"{"NAME": "web", "IPAM": {"SUBNET": "10.0.0.0/24", "RANGESTART": "10.0.0.9", "rangeend": "10.0.0.10", "#
        + #""GateWay": "10.0.0.9", "DATADIR": "/x", "RESOLVCONF": "/r", "ROUTES": [{"DST": "0.0.0.0/0"}]}, "#
        + #""ARGS": {"CNI": {"IPS": ["10.0.0.9"]}}, "RUNTIMECONFIG": {"IPS": ["10.0.0.10"]}}"#,
      #"{"name": "web", "ipam": {"ſubnet": "10.0.0.0/24", "rangeſtart": "10.0.0.9", "rangeEnd": "10.0.0.10", "#
        + #""gateway": "10.0.0.9", "dataDir": "/x", "reſolvConf": "/r", "routeſ": [{"dſt": "0.0.0.0/0"}]}, "#
        + #""argſ": {"cni": {"ipſ": ["10.0.0.9"]}}, "runtimeConfig": {"ipſ": ["10.0.0.10"]}}"#,
    ])
  func letterCase(text: String) throws {
    let configuration = try ConfigurationDocument.read(text)
    #expect(configuration.rangeSets.map(\.description) == ["10.0.0.9-10.0.0.10"])
    #expect(configuration.rangeSets.first?.ranges.first?.gateway == IPAddress("10.0.0.9"))
    #expect(configuration.dataDirectory == "/x")
    #expect(configuration.resolverFile == "/r")
    #expect(configuration.routes.map(\.destination) == [CIDR("0.0.0.0/0")])
    #expect(configuration.requestedAddresses == ["10.0.0.9", "10.0.0.10"].map { IPAddress($0) })
  }

  @Test("ranges within lists match their keys without regard to case")
  func letterCaseOfRanges() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""RANGES": [[{"Subnet": "10.0.0.0/24", "RangeEnd": "10.0.0.5"}]]"#,
      beside: #""RuntimeConfig": {"IPRANGES": [[{"SUBNET": "10.0.1.0/24"}]]}"#
    )
    #expect(configuration.rangeSets.map(\.description) == ["10.0.1.1-10.0.1.254", "10.0.0.1-10.0.0.5"])
  }

  @Test("keys of others are ignored, whatever they hold")
  func unknownKeys() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "subnets": 7, "range": 1, "type": "other", "data-dir": {}"#,
      beside: """
        "prevResult": {"ips": 7}, "dns": [1], "capabilities": 5, "type": ["bridge"],
        "args": {"other": {"ips": 1}, "cni": {"ip": 7}}, "runtimeConfig": {"mac": 7, "ipRange": {}}
        """
    )
    #expect(configuration.rangeSets.count == 1)
  }

  @Test("the directory is the default one if none or an empty one is given")
  func dataDirectory() throws {
    let range = #""subnet": "10.0.0.0/24""#
    for members in [range, range + #", "dataDir": """#, range + #", "dataDir": null"#] {
      #expect(try ConfigurationDocument.read(ipam: members).networkDirectory == "/var/lib/cni/networks/web")
    }
    let given = try ConfigurationDocument.read(ipam: range + #", "dataDir": "/x//y/../z/""#)
    #expect(given.dataDirectory == "/x//y/../z/")
    #expect(given.networkDirectory == "/x/z/web")
    #expect(try ConfigurationDocument.read(ipam: range + #", "dataDir": "state""#).networkDirectory == "state/web")
  }

  @Test("no file of DNS settings is read if none or an empty one is given")
  func resolverFile() throws {
    let range = #""subnet": "10.0.0.0/24""#
    for members in [range, range + #", "resolvConf": """#, range + #", "resolvConf": null"#] {
      #expect(try ConfigurationDocument.read(ipam: members).resolverFile == nil)
    }
    #expect(try ConfigurationDocument.read(ipam: range + #", "resolvConf": "/etc/r""#).resolverFile == "/etc/r")
  }

  @Test("a configuration without ipam is refused", arguments: [#"{"name": "web"}"#, #"{"name": "web", "ipam": null}"#])
  func missingSection(text: String) throws {
    #expect(try ConfigurationDocument.problem(text) == "IPAM config missing 'ipam' key")
  }

  @Test(
    "a configuration without ranges is refused",
    arguments: [
      "", #""type": "host-local""#, #""ranges": []"#, #""ranges": null"#, #""subnets": [[{"subnet": "10.0.0.0/24"}]]"#,
    ])
  func noRanges(members: String) throws {
    #expect(try ConfigurationDocument.problem(ipam: members) == "no IP ranges specified")
    let emptyRuntime = #""runtimeConfig": {"ipRanges": []}"#
    #expect(try ConfigurationDocument.problem(ipam: members, beside: emptyRuntime) == "no IP ranges specified")
  }

  struct WrongType: Sendable, CustomTestStringConvertible {
    var members: String
    var kind: String
    var testDescription: String { members }
  }

  @Test(
    "a value of the wrong type in ipam is refused",
    arguments: [
      WrongType(members: #""dataDir": 5"#, kind: "number"),
      WrongType(members: #""dataDir": ["/x"]"#, kind: "array"),
      WrongType(members: #""resolvConf": true"#, kind: "bool"),
      WrongType(members: #""type": {}"#, kind: "object"),
      WrongType(members: #""name": 5"#, kind: "number"),
      WrongType(members: #""Name": []"#, kind: "array"),
      WrongType(members: #""subnet": 5"#, kind: "number"),
      WrongType(members: #""subnet": {}"#, kind: "object"),
      WrongType(members: #""rangeStart": 5"#, kind: "number"),
      WrongType(members: #""rangeEnd": false"#, kind: "bool"),
      WrongType(members: #""gateway": ["10.0.0.1"]"#, kind: "array"),
      WrongType(members: #""ranges": {}"#, kind: "object"),
      WrongType(members: #""ranges": "10.0.0.0/24""#, kind: "string"),
      WrongType(members: #""ranges": [{"subnet": "10.0.0.0/24"}]"#, kind: "object"),
      WrongType(members: #""ranges": [["10.0.0.0/24"]]"#, kind: "string"),
      WrongType(members: #""ranges": [[{"subnet": 5}]]"#, kind: "number"),
      WrongType(members: #""ranges": [[{"subnet": "10.0.0.0/24", "rangeEnd": 5}]]"#, kind: "number"),
      WrongType(members: #""routes": {"dst": "0.0.0.0/0"}"#, kind: "object"),
      WrongType(members: #""routes": [7]"#, kind: "number"),
    ])
  func wrongTypes(example: WrongType) throws {
    let problem = try ConfigurationDocument.problem(ipam: example.members)
    #expect(problem?.hasPrefix("json: cannot unmarshal \(example.kind) into Go ") == true, "\(problem ?? "none")")
  }

  @Test(
    "a value of the wrong type beside ipam is refused",
    arguments: [
      WrongType(members: #""runtimeConfig": []"#, kind: "array"),
      WrongType(members: #""runtimeConfig": {"ips": "10.0.0.1"}"#, kind: "string"),
      WrongType(members: #""runtimeConfig": {"ips": [5]}"#, kind: "number"),
      WrongType(members: #""runtimeConfig": {"ipRanges": [[5]]}"#, kind: "number"),
      WrongType(members: #""args": "x""#, kind: "string"),
      WrongType(members: #""args": {"cni": 5}"#, kind: "number"),
      WrongType(members: #""args": {"cni": {"ips": {}}}"#, kind: "object"),
      WrongType(members: #""args": {"cni": {"ips": ["10.0.0.1", true]}}"#, kind: "bool"),
      WrongType(members: #""cniVersion": 5"#, kind: "number"),
    ])
  func wrongTypesBeside(example: WrongType) throws {
    let problem = try ConfigurationDocument.problem(ipam: #""subnet": "10.0.0.0/24""#, beside: example.members)
    #expect(problem?.hasPrefix("json: cannot unmarshal \(example.kind) into Go ") == true, "\(problem ?? "none")")
  }

  @Test("a section that is no object is refused", arguments: [#""x""#, "5", "[]", "true"])
  func sectionType(value: String) throws {
    let problem = try ConfigurationDocument.problem(#"{"name": "web", "ipam": \#(value)}"#)
    #expect(problem?.hasPrefix("json: cannot unmarshal ") == true)
  }
}
