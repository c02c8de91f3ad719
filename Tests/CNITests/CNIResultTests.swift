import IPAM
import IPAddressing
import Testing

@testable import CNI

/// The documents are those of the host-local specification, section 1.7, to the byte.
@Suite("Results from version 0.3.0 on")
struct CNIResultTests {
  static func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  static func assigned(_ address: String, gateway: String?) throws -> AssignedAddress {
    AssignedAddress(address: try cidr(address), gateway: try gateway.map { try #require(IPAddress($0)) })
  }

  static func text(_ assignment: Assignment, _ version: String) -> String {
    String(decoding: CNIResult(assignment: assignment, version: CNIVersion(version)).encoded(), as: UTF8.self)
  }

  /// A route with everything a route may have.
  static func completeRoute() throws -> Route {
    var route = Route(destination: try cidr("192.168.0.0/16"), gateway: IPAddress("10.1.2.254"))
    route.mtu = 1400
    route.advertisedMSS = 1360
    route.priority = 50
    route.table = 100
    route.scope = 0
    return route
  }

  static func dns() -> DNSConfiguration {
    var dns = DNSConfiguration()
    dns.nameservers = ["192.0.2.3"]
    dns.domain = "example.com"
    dns.search = ["a.example"]
    dns.options = ["ndots:5"]
    return dns
  }

  @Test("1.x results have sorted keys and no empty parts", arguments: ["1.0.0", "1.1.0"])
  func versionOne(version: String) throws {
    let assignment = Assignment(
      addresses: [
        try Self.assigned("10.1.2.2/24", gateway: "10.1.2.1"),
        try Self.assigned("2001:db8:1::2/64", gateway: "2001:db8:1::1"),
      ],
      routes: [Route(destination: try Self.cidr("0.0.0.0/0")), try Self.completeRoute()],
      dns: Self.dns()
    )
    #expect(
      Self.text(assignment, version) == """
        {
            "cniVersion": "\(version)",
            "dns": {
                "domain": "example.com",
                "nameservers": [
                    "192.0.2.3"
                ],
                "options": [
                    "ndots:5"
                ],
                "search": [
                    "a.example"
                ]
            },
            "ips": [
                {
                    "address": "10.1.2.2/24",
                    "gateway": "10.1.2.1"
                },
                {
                    "address": "2001:db8:1::2/64",
                    "gateway": "2001:db8:1::1"
                }
            ],
            "routes": [
                {
                    "dst": "0.0.0.0/0"
                },
                {
                    "advmss": 1360,
                    "dst": "192.168.0.0/16",
                    "gw": "10.1.2.254",
                    "mtu": 1400,
                    "priority": 50,
                    "scope": 0,
                    "table": 100
                }
            ]
        }
        """)
  }

  @Test("results from 0.3.0 to 0.4.0 state the family, and always have a dns", arguments: ["0.3.0", "0.3.1", "0.4.0"])
  func versionZero(version: String) throws {
    let assignment = Assignment(
      addresses: [try Self.assigned("10.1.2.2/24", gateway: "10.1.2.1")],
      routes: [try Self.completeRoute()]
    )
    #expect(
      Self.text(assignment, version) == """
        {
            "cniVersion": "\(version)",
            "ips": [
                {
                    "version": "4",
                    "address": "10.1.2.2/24",
                    "gateway": "10.1.2.1"
                }
            ],
            "routes": [
                {
                    "dst": "192.168.0.0/16",
                    "gw": "10.1.2.254",
                    "mtu": 1400,
                    "advmss": 1360,
                    "priority": 50,
                    "table": 100,
                    "scope": 0
                }
            ],
            "dns": {}
        }
        """)
  }

  @Test("results from 0.3.0 to 0.4.0 have the parts of dns in an order of their own")
  func versionZeroDNS() throws {
    let assignment = Assignment(addresses: [try Self.assigned("2001:db8:1::2/64", gateway: nil)], dns: Self.dns())
    #expect(
      Self.text(assignment, "0.4.0") == """
        {
            "cniVersion": "0.4.0",
            "ips": [
                {
                    "version": "6",
                    "address": "2001:db8:1::2/64"
                }
            ],
            "dns": {
                "nameservers": [
                    "192.0.2.3"
                ],
                "domain": "example.com",
                "search": [
                    "a.example"
                ],
                "options": [
                    "ndots:5"
                ]
            }
        }
        """)
  }

  @Test("a 1.x result of one address alone has neither routes nor dns")
  func bare() throws {
    let assignment = Assignment(addresses: [try Self.assigned("10.1.2.2/24", gateway: "10.1.2.1")])
    #expect(Self.text(assignment, "1.1.0") == PluginCall.sampleResult)
  }

  @Test("a 1.x result without addresses is nothing but a version")
  func empty() throws {
    #expect(
      Self.text(Assignment(addresses: []), "1.0.0") == """
        {
            "cniVersion": "1.0.0"
        }
        """)
  }

  @Test("lists of one part of dns stand alone")
  func partOfDNS() throws {
    var dns = DNSConfiguration()
    dns.search = ["b", "a", "b"]
    let assignment = Assignment(addresses: [try Self.assigned("10.1.2.2/24", gateway: nil)], dns: dns)
    #expect(
      Self.text(assignment, "1.0.0") == """
        {
            "cniVersion": "1.0.0",
            "dns": {
                "search": [
                    "b",
                    "a",
                    "b"
                ]
            },
            "ips": [
                {
                    "address": "10.1.2.2/24"
                }
            ]
        }
        """)
  }

  struct Numbers: Sendable, CustomTestStringConvertible {
    var name: String
    var route: @Sendable (inout Route) -> Void
    var lines: [String]
    var testDescription: String { name }
  }

  @Test(
    "mtu, advmss and priority are left out when 0, table and scope only when absent",
    arguments: [
      Numbers(name: "nothing set", route: { _ in }, lines: []),
      Numbers(name: "mtu", route: { $0.mtu = 1 }, lines: ["\"mtu\": 1"]),
      Numbers(name: "negative mtu", route: { $0.mtu = -1 }, lines: ["\"mtu\": -1"]),
      Numbers(name: "negative advmss", route: { $0.advertisedMSS = -1 }, lines: ["\"advmss\": -1"]),
      Numbers(name: "negative priority", route: { $0.priority = -1 }, lines: ["\"priority\": -1"]),
      Numbers(name: "largest", route: { $0.priority = .max }, lines: ["\"priority\": 9223372036854775807"]),
      Numbers(name: "zeros", route: { ($0.table, $0.scope) = (0, 0) }, lines: ["\"table\": 0", "\"scope\": 0"]),
      Numbers(name: "table", route: { $0.table = 254 }, lines: ["\"table\": 254"]),
      Numbers(name: "scope", route: { $0.scope = 253 }, lines: ["\"scope\": 253"]),
    ])
  func numbers(example: Numbers) throws {
    var route = Route(destination: try Self.cidr("172.16.5.9/12"))
    example.route(&route)
    let assignment = Assignment(addresses: [], routes: [route])
    let members = ["\"dst\": \"172.16.5.9/12\""] + example.lines
    let expected = "[\n        {\n            " + members.joined(separator: ",\n            ") + "\n        }\n    ]"
    #expect(Self.text(assignment, "0.4.0").contains(expected))
    for line in example.lines { #expect(Self.text(assignment, "1.1.0").contains("            \(line)")) }
  }

  @Test("every address has a place, whatever the families and their order")
  func manyAddresses() throws {
    let texts = ["2001:db8::2/64", "10.1.2.2/24", "10.1.3.2/25", "fd00::9/112"]
    let assignment = Assignment(addresses: try texts.map { try Self.assigned($0, gateway: nil) })
    for version in ["0.3.0", "1.1.0"] {
      let lines = Self.text(assignment, version).split(separator: "\n").filter { $0.contains("\"address\"") }
      #expect(lines.map { $0.split(separator: "\"").last.map(String.init) } == texts, "version \(version)")
    }
  }

  @Test("what is not UTF-8 in dns is raw in 1.x results and escaped before")
  func replacementCharacter() throws {
    var dns = DNSConfiguration()
    dns.domain = "<\u{FFFD}>"
    let assignment = Assignment(addresses: [], dns: dns)
    #expect(Self.text(assignment, "1.1.0").contains(#""domain": "\u003c"# + "\u{FFFD}" + #"\u003e""#))
    #expect(Self.text(assignment, "0.4.0").contains(#""domain": "\u003c\ufffd\u003e""#))
    #expect(Self.text(assignment, "0.2.0").contains(#""domain": "\u003c\ufffd\u003e""#))
  }
}
