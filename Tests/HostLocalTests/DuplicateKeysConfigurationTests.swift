import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("Keys given more than once")
struct DuplicateKeysConfigurationTests {
  @Test("the later of two scalars counts, in whatever case")
  func scalars() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "SUBNET": "10.0.1.0/24", "dataDir": "/a", "datadir": "/b""#)
    #expect(configuration.rangeSets.map(\.description) == ["10.0.1.1-10.0.1.254"])
    #expect(configuration.dataDirectory == "/b")
  }

  @Test("a later null leaves a text alone, and takes an address away")
  func nulls() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "dataDir": "/a", "dataDir": null, "gateway": "10.0.0.9", "gateway": null"#)
    #expect(configuration.dataDirectory == "/a")
    #expect(configuration.rangeSets.first?.ranges.first?.gateway == IPAddress("10.0.0.1"))
  }

  @Test("a repeated ipam merges into the earlier one")
  func sections() throws {
    let configuration = try ConfigurationDocument.read(
      #"""
      {"name": "web", "ipam": {"subnet": "10.0.0.0/24", "dataDir": "/a"},
       "IPAM": {"rangeStart": "10.0.0.9", "dataDir": "/b"}}
      """#)
    #expect(configuration.rangeSets.map(\.description) == ["10.0.0.9-10.0.0.254"])
    #expect(configuration.dataDirectory == "/b")
  }

  @Test("a later null resets ipam")
  func resetSection() throws {
    let text = #"{"name": "web", "ipam": {"subnet": "10.0.0.0/24", "dataDir": "/a"}, "ipam": null"#
    #expect(try ConfigurationDocument.problem(text + "}") == "IPAM config missing 'ipam' key")
    let again = try ConfigurationDocument.read(text + #", "ipam": {"subnet": "10.0.1.0/24"}}"#)
    #expect(again.rangeSets.map(\.description) == ["10.0.1.1-10.0.1.254"])
    #expect(again.dataDirectory == HostLocalConfiguration.defaultDataDirectory)
  }

  @Test("a repeated list of ranges replaces the earlier one, but elements keep what they do not set")
  func ranges() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: """
        "ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": "10.0.0.9"}, {"subnet": "10.0.1.0/24"}],
                   [{"subnet": "10.0.2.0/24"}]],
        "ranges": [[{"rangeEnd": "10.0.0.20"}]]
        """)
    #expect(configuration.rangeSets.map(\.description) == ["10.0.0.9-10.0.0.20"])
  }

  @Test("a null element keeps an earlier range; a null set and a null list keep nothing")
  func nullElements() throws {
    let earlier = #""ranges": [[{"subnet": "10.0.0.0/24"}]]"#
    #expect(try ConfigurationDocument.read(ipam: earlier + #", "ranges": [[null]]"#).rangeSets.count == 1)
    #expect(
      try ConfigurationDocument.problem(ipam: earlier + #", "ranges": [null]"#)
        == "invalid range set 0: empty range set")
    #expect(try ConfigurationDocument.problem(ipam: earlier + #", "ranges": null"#) == "no IP ranges specified")
    let anew = earlier + #", "ranges": null, "ranges": [[{"rangeEnd": "10.0.0.9"}]]"#
    #expect(try ConfigurationDocument.problem(ipam: anew) == "invalid range set 0: IP <nil> not v4 nor v6")
  }

  @Test("a longer list adds to what the elements keep")
  func longerList() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: """
        "ranges": [[{"subnet": "10.0.0.0/24"}]],
        "ranges": [[{"rangeEnd": "10.0.0.20"}, {"subnet": "10.0.1.0/24"}], [{"subnet": "10.0.2.0/24"}]]
        """)
    #expect(
      configuration.rangeSets.map(\.description) == ["10.0.0.1-10.0.0.20,10.0.1.1-10.0.1.254", "10.0.2.1-10.0.2.254"])
  }

  @Test("ranges of the runtime merge like those of ipam, and a null runtimeConfig changes nothing")
  func runtimeRanges() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: "",
      beside: """
        "runtimeConfig": {"ipRanges": [[{"subnet": "10.0.0.0/24"}]]}, "runtimeConfig": null,
        "runtimeConfig": {"ipRanges": [[{"rangeStart": "10.0.0.7"}]]}
        """
    )
    #expect(configuration.rangeSets.map(\.description) == ["10.0.0.7-10.0.0.254"])
  }

  @Test("a repeated list of routes or requests replaces the earlier one")
  func lists() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "routes": [{"dst": "1.0.0.0/8", "gw": "1.1.1.1"}, {"dst": "2.0.0.0/8"}], "#
        + #""routes": [{"dst": "3.0.0.0/8"}]"#,
      beside: #""runtimeConfig": {"ips": ["10.0.0.5", "10.0.0.6"], "ips": ["10.0.0.7"]}, "#
        + #""args": {"cni": {"ips": ["10.0.0.8"]}, "cni": {"ips": ["10.0.0.9"]}}"#
    )
    #expect(configuration.routes.map(\.destination) == [CIDR("3.0.0.0/8")])
    #expect(configuration.routes.map(\.gateway) == [nil])
    #expect(configuration.requestedAddresses == ["10.0.0.9", "10.0.0.7"].map { IPAddress($0) })
  }

  @Test("a later null resets args, args.cni and the lists")
  func resetLists() throws {
    let texts = [
      #""args": {"cni": {"ips": ["10.0.0.8"]}}, "args": null"#,
      #""args": {"cni": {"ips": ["10.0.0.8"]}, "cni": null}"#,
      #""args": {"cni": {"ips": ["10.0.0.8"], "ips": null}}"#,
      #""runtimeConfig": {"ips": ["10.0.0.8"], "ips": null}"#,
      #""runtimeConfig": {"ips": ["10.0.0.8"]}, "runtimeConfig": {"ips": []}"#,
    ]
    for text in texts {
      let configuration = try ConfigurationDocument.read(ipam: #""subnet": "10.0.0.0/24""#, beside: text)
      #expect(configuration.requestedAddresses.isEmpty, "\(text)")
    }
    let routes = #""subnet": "10.0.0.0/24", "routes": [{"dst": "1.0.0.0/8"}], "routes": null"#
    #expect(try ConfigurationDocument.read(ipam: routes).routes.isEmpty)
  }

  @Test("args and args.cni without a null merge")
  func mergedArguments() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24""#,
      beside: #""args": {"cni": {"ips": ["10.0.0.8"]}}, "args": {"cni": {}}, "ARGS": {}"#
    )
    #expect(configuration.requestedAddresses == [IPAddress("10.0.0.8")])
  }

  @Test("within a route the later of two members counts")
  func routeMembers() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "routes": [{"dst": "1.0.0.0/8", "mtu": 1, "DST": "2.0.0.0/8", "MTU": 2, "#
        + #""table": 5, "table": null, "mtu": null, "gw": "1.1.1.1", "gw": ""}]"#)
    let route = try #require(configuration.routes.first)
    #expect(route.destination == CIDR("2.0.0.0/8"))
    #expect(route.mtu == 2)
    #expect(route.table == nil)
    #expect(route.gateway == nil)
  }

  @Test("the version is the last one given")
  func version() throws {
    let text = #"""
      {"name": "web", "cniVersion": "1.0.0", "ipam": {"ranges": [[{"subnet": "10.0.0.0/24"}],
      [{"subnet": "10.0.1.0/24"}]]}, "cniversion": "0.2.0"}
      """#
    #expect(
      try ConfigurationDocument.problem(text)
        == "CNI version 0.2.0 does not support more than 1 address per family")
  }
}
