import IPAM
import IPAddressing
import Testing

@testable import CNI

@Suite("Results of versions 0.1.0 and 0.2.0")
struct CNIResultPerFamilyTests {
  @Test("an IPv4 address has a place of its own", arguments: ["0.1.0", "0.2.0"])
  func v4(version: String) throws {
    let assignment = Assignment(
      addresses: [try CNIResultTests.assigned("10.1.2.2/24", gateway: "10.1.2.1")],
      routes: [Route(destination: try CNIResultTests.cidr("0.0.0.0/0"))]
    )
    #expect(
      CNIResultTests.text(assignment, version) == """
        {
            "cniVersion": "\(version)",
            "ip4": {
                "ip": "10.1.2.2/24",
                "gateway": "10.1.2.1",
                "routes": [
                    {
                        "dst": "0.0.0.0/0"
                    }
                ]
            },
            "dns": {}
        }
        """)
  }

  @Test("routes go with the address of their family, and only dst and gw of them")
  func bothFamilies() throws {
    let assignment = Assignment(
      addresses: [
        try CNIResultTests.assigned("2001:db8:1::2/64", gateway: "2001:db8:1::1"),
        try CNIResultTests.assigned("10.1.2.2/24", gateway: "10.1.2.1"),
      ],
      routes: [
        try CNIResultTests.completeRoute(),
        Route(destination: try CNIResultTests.cidr("::/0"), gateway: IPAddress("2001:db8:1::9")),
        Route(destination: try CNIResultTests.cidr("172.16.5.9/12")),
      ],
      dns: CNIResultTests.dns()
    )
    #expect(
      CNIResultTests.text(assignment, "0.2.0") == """
        {
            "cniVersion": "0.2.0",
            "ip4": {
                "ip": "10.1.2.2/24",
                "gateway": "10.1.2.1",
                "routes": [
                    {
                        "dst": "192.168.0.0/16",
                        "gw": "10.1.2.254"
                    },
                    {
                        "dst": "172.16.5.9/12"
                    }
                ]
            },
            "ip6": {
                "ip": "2001:db8:1::2/64",
                "gateway": "2001:db8:1::1",
                "routes": [
                    {
                        "dst": "::/0",
                        "gw": "2001:db8:1::9"
                    }
                ]
            },
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

  @Test("routes of a family without an address are dropped")
  func strayRoutes() throws {
    let assignment = Assignment(
      addresses: [try CNIResultTests.assigned("2001:db8:1::2/64", gateway: nil)],
      routes: [Route(destination: try CNIResultTests.cidr("0.0.0.0/0"))]
    )
    #expect(
      CNIResultTests.text(assignment, "0.1.0") == """
        {
            "cniVersion": "0.1.0",
            "ip6": {
                "ip": "2001:db8:1::2/64"
            },
            "dns": {}
        }
        """)
  }

  @Test("a mapped destination is a route of IPv4")
  func mappedRoute() throws {
    let assignment = Assignment(
      addresses: [try CNIResultTests.assigned("10.1.2.2/24", gateway: nil)],
      routes: [Route(destination: try CNIResultTests.cidr("::ffff:1.2.3.4/128"))]
    )
    #expect(
      CNIResultTests.text(assignment, "0.2.0") == """
        {
            "cniVersion": "0.2.0",
            "ip4": {
                "ip": "10.1.2.2/24",
                "routes": [
                    {
                        "dst": "1.2.3.4/32"
                    }
                ]
            },
            "dns": {}
        }
        """)
  }
}
