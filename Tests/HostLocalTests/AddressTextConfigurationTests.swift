import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("Addresses in a configuration")
struct AddressTextConfigurationTests {
  @Test(
    "a malformed CIDR is refused with its text",
    arguments: [
      "", "10.1.2.0", "hello/24", "10.1.2.0/33", "fd00::/129", "10.1.2.0/-1", "10.1.2.0/255.255.255.0", "10.1/16",
      "010.1.2.0/24", "fe80::%eth0/64", " 10.1.2.0/24", "10.1.2.0/24 ", "10.1.2.0/", "/24", "zz",
    ])
  func cidr(text: String) throws {
    let problem = "invalid CIDR address: \(text)"
    #expect(try ConfigurationDocument.problem(ipam: #""subnet": "\#(text)""#) == problem)
    #expect(try ConfigurationDocument.problem(ipam: #""ranges": [[{"subnet": "\#(text)"}]]"#) == problem)
    #expect(try ConfigurationDocument.problem(ipam: #""routes": [{"dst": "\#(text)"}]"#) == problem)
    let runtime = #""runtimeConfig": {"ipRanges": [[{"subnet": "\#(text)"}]]}"#
    #expect(try ConfigurationDocument.problem(ipam: "", beside: runtime) == problem)
  }

  @Test("null for a CIDR reads like an empty text")
  func nullCIDR() throws {
    #expect(try ConfigurationDocument.problem(ipam: #""subnet": null"#) == "invalid CIDR address: ")
    #expect(try ConfigurationDocument.problem(ipam: #""ranges": [[{"subnet": null}]]"#) == "invalid CIDR address: ")
    #expect(try ConfigurationDocument.problem(ipam: #""routes": [{"dst": null}]"#) == "invalid CIDR address: ")
  }

  @Test("leading zeros of a prefix length mean nothing")
  func leadingZeros() throws {
    #expect(try ConfigurationDocument.read(ipam: #""subnet": "10.1.2.0/024""#).rangeSets.first?.capacity == 253)
  }

  @Test(
    "a malformed plain address is refused with its text",
    arguments: [
      "hello", "10.1.2", "10.1.2.3/24", "10.1.2.03", " 10.1.2.3", "10.1.2.3 ", "fe80::1%eth0", "1:2:3", "::1::",
      "10.1.2.256",
    ])
  func plain(text: String) throws {
    let problem = "invalid IP address: \(text)"
    for key in ["rangeStart", "rangeEnd", "gateway"] {
      let members = #""subnet": "10.1.2.0/24", "\#(key)": "\#(text)""#
      #expect(try ConfigurationDocument.problem(ipam: members) == problem)
      #expect(try ConfigurationDocument.problem(ipam: #""ranges": [[{\#(members)}]]"#) == problem)
    }
    #expect(try ConfigurationDocument.problem(ipam: #""routes": [{"dst": "::/0", "gw": "\#(text)"}]"#) == problem)
  }

  @Test("an empty text and null stand for no address", arguments: [#""""#, "null"])
  func absent(value: String) throws {
    let configuration = try ConfigurationDocument.read(
      ipam: #""subnet": "10.1.2.0/24", "rangeStart": \#(value), "rangeEnd": \#(value), "gateway": \#(value), "#
        + #""routes": [{"dst": "0.0.0.0/0", "gw": \#(value)}]"#)
    #expect(configuration.rangeSets.map(\.description) == ["10.1.2.1-10.1.2.254"])
    #expect(configuration.rangeSets.first?.ranges.first?.gateway == IPAddress("10.1.2.1"))
    #expect(configuration.routes.map(\.gateway) == [nil])
  }

  @Test("any standard form of an address is taken and printed in canonical form")
  func forms() throws {
    let v6 = try ConfigurationDocument.read(
      ipam: #""subnet": "2001:0DB8:0:0::/64", "rangeStart": "2001:DB8::000a", "rangeEnd": "2001:db8::0.0.1.0", "#
        + #""gateway": "FE80::1""#)
    #expect(v6.rangeSets.map(\.description) == ["2001:db8::a-2001:db8::100"])
    #expect(v6.rangeSets.first?.ranges.first?.gateway.description == "fe80::1")
    let mapped = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "rangeStart": "::ffff:10.0.0.5", "rangeEnd": "::FFFF:A00:9", "#
        + #""gateway": "::ffff:10.0.0.6""#)
    #expect(mapped.rangeSets.map(\.description) == ["10.0.0.5-10.0.0.9"])
    #expect(mapped.rangeSets.first?.ranges.first?.gateway == IPAddress("10.0.0.6"))
  }

  @Test("routes are read with all their members")
  func routes() throws {
    let configuration = try ConfigurationDocument.read(
      ipam: """
        "subnet": "10.0.0.0/24", "routes": [
          {"dst": "0.0.0.0/0"},
          {"dst": "192.168.0.0/16", "gw": "10.1.2.254", "mtu": 1400, "advmss": 1360, "priority": 50, "table": 100,
           "scope": 0},
          {"dst": "172.16.5.9/12", "mtu": -1, "mtu2": "x", "table": null},
          {"dst": "::ffff:1.2.3.4/128", "gw": "::ffff:1.2.3.5", "mtu": null},
          {"dst": "2001:DB8::/32", "gw": "FE80::1"}
        ]
        """)
    let routes = configuration.routes
    #expect(
      routes.map(\.destination.description)
        == ["0.0.0.0/0", "192.168.0.0/16", "172.16.5.9/12", "1.2.3.4/32", "2001:db8::/32"])
    #expect(routes.map { $0.gateway?.description } == [nil, "10.1.2.254", nil, "1.2.3.5", "fe80::1"])
    #expect(routes.map(\.mtu) == [0, 1400, -1, 0, 0])
    #expect(routes.map(\.advertisedMSS) == [0, 1360, 0, 0, 0])
    #expect(routes.map(\.priority) == [0, 50, 0, 0, 0])
    #expect(routes.map(\.table) == [nil, 100, nil, nil, nil])
    #expect(routes.map(\.scope) == [nil, 0, nil, nil, nil])
  }

  @Test("the numbers of a route are plain integers", arguments: ["mtu", "advmss", "priority", "table", "scope"])
  func routeNumbers(key: String) throws {
    for (value, kind) in [("1500.5", "number 1500.5"), ("1e3", "number 1e3"), (#""1""#, "string"), ("[]", "array")] {
      let problem = try ConfigurationDocument.problem(ipam: #""routes": [{"dst": "::/0", "\#(key)": \#(value)}]"#)
      #expect(problem?.hasPrefix("json: cannot unmarshal \(kind) into Go struct field ") == true)
    }
    let large = try ConfigurationDocument.read(
      ipam: #""subnet": "10.0.0.0/24", "routes": [{"dst": "::/0", "\#(key)": 9223372036854775807}]"#)
    let route = try #require(large.routes.first)
    #expect([route.mtu, route.advertisedMSS, route.priority, route.table, route.scope].contains(.max))
  }

  // Upstream echoes these, and callers fail on them (host-local specification, section 8, numbers 10 and 11).
  @Test("a null route and one without destination are refused by their place")
  func uselessRoutes() throws {
    let null = try ConfigurationDocument.problem(ipam: #""routes": [{"dst": "::/0"}, null]"#)
    #expect(null == "invalid route 1: it is null")
    let aimless = try ConfigurationDocument.problem(ipam: #""routes": [{"gw": "10.0.0.1"}]"#)
    #expect(aimless == "invalid route 0: it has no dst")
  }

  @Test("no routes are routes", arguments: ["[]", "null"])
  func noRoutes(value: String) throws {
    #expect(try ConfigurationDocument.read(ipam: #""subnet": "10.0.0.0/24", "routes": \#(value)"#).routes.isEmpty)
  }
}
