import JSON
import Netlink
import Routing
import Testing

@testable import ipam_node

@Suite("Settings")
struct SettingTests {
  private func setting(_ words: String) throws -> Setting {
    try #require(Setting.all.first { $0.name.words == words })
  }

  @Test(
    "have one name for each place",
    arguments: [
      ("route-protocol", "routeProtocol", "IPAM_NODE_ROUTE_PROTOCOL"),
      ("route-metric-v4", "routeMetricV4", "IPAM_NODE_ROUTE_METRIC_V4"),
      ("vxlan-vni", "vxlanVNI", "IPAM_NODE_VXLAN_VNI"), ("vxlan-mtu-v6", "vxlanMTUV6", "IPAM_NODE_VXLAN_MTU_V6"),
      ("ipip-mtu", "ipipMTU", "IPAM_NODE_IPIP_MTU"),
      ("use-nexthop-objects", "useNexthopObjects", "IPAM_NODE_USE_NEXTHOP_OBJECTS"),
      ("pod-cidr-blackhole", "podCIDRBlackhole", "IPAM_NODE_POD_CIDR_BLACKHOLE"),
    ])
  func names(_ words: String, _ key: String, _ variable: String) throws {
    let name = try setting(words).name
    #expect(name.key == key)
    #expect(name.variable == variable)
    #expect(name.flag == "--" + words)
  }

  @Test("no two have the same name")
  func uniqueness() {
    #expect(Set(Setting.all.map(\.name.key)).count == Setting.all.count)
    #expect(Set(Setting.all.map(\.name.variable)).count == Setting.all.count)
  }

  @Test("every default can be given, as text and in a file, and is the same then")
  func defaults() throws {
    for setting in Setting.all where setting.defaultText != "-" {
      var fromText = AgentConfiguration()
      try setting.take(.text(setting.text(fromText)), &fromText)
      #expect(fromText == AgentConfiguration(), "\(setting.name)")
      var fromFile = AgentConfiguration()
      try setting.take(.json(setting.value(fromFile)), &fromFile)
      #expect(fromFile == AgentConfiguration(), "\(setting.name)")
    }
  }

  @Test("the defaults are those of appendix B")
  func specification() throws {
    let wanted = [
      "route-protocol": "84", "route-table": "254", "route-metric-v4": "0", "route-metric-v6": "1024",
      "route-refresh-interval": "90s", "netlink-timeout": "10s", "vxlan-vni": "4096", "vxlan-port": "4789",
      "vxlan-mtu": "0", "vxlan-mtu-v6": "0", "ipip-mtu": "0", "mode": "ipam", "program-classes": "vxlan,ipip,noencap",
      "off-subnet-policy": "skip", "pool-catch-all": "false", "use-nexthop-objects": "auto", "manage-devices": "true",
      "ipip-device": "tunl0", "vxlan-device-v4": "vxlan.calico", "vxlan-device-v6": "vxlan-v6.calico",
      "adopt-felix-tunnel-routes": "false", "adopt-bird-tunnel-routes": "false", "tunnel-tx-checksum": "auto",
      "deletion-valve-percentage": "30", "deletion-valve-count": "50", "deletion-valve-confirmation": "10s",
      "workload-interface-prefixes": "cali", "route-source-address-v4": "-", "route-source-address-v6": "-",
    ]
    for (words, text) in wanted { #expect(try setting(words).defaultText == text, "\(words)") }
  }

  @Test("R-11: protocol numbers of others are refused, with the name of who has them")
  func reservedProtocols() throws {
    let setting = try setting("route-protocol")
    let reserved = Set([0, 1, 2, 3, 4, 9, 11, 12, 16, 186, 187, 188, 189, 190, 191, 192])
    for number in 0...255 {
      var configuration = AgentConfiguration()
      if reserved.contains(number) {
        let problem = #expect(throws: Setting.Problem.self) { try setting.take(.text("\(number)"), &configuration) }
        #expect(problem?.message.hasPrefix("\(number) marks routes of ") == true)
        #expect(configuration == AgentConfiguration())
      } else {
        try setting.take(.text("\(number)"), &configuration)
        #expect(Int(configuration.routing.routeProtocol.rawValue) == number)
      }
    }
  }

  @Test(
    "take values in the forms that people write",
    arguments: [
      ("route-refresh-interval", Setting.Given.text("2m"), "120s"), ("route-refresh-interval", .text("45"), "45s"),
      ("route-refresh-interval", .json(30), "30s"), ("route-refresh-interval", .json("1h"), "3600s"),
      ("route-refresh-interval", .text("0s"), "0s"), ("use-nexthop-objects", .json(true), "on"),
      ("use-nexthop-objects", .json("auto"), "auto"), ("listen", .json(false), "off"), ("listen", .text("off"), "off"),
      ("listen", .text("[::1]:80"), "[::1]:80"), ("listen", .text("0.0.0.0:9098"), "0.0.0.0:9098"),
      ("program-classes", .json(["vxlan"]), "vxlan"), ("program-classes", .text("noencap, vxlan"), "vxlan,noencap"),
      ("workload-interface-prefixes", .text("cali,tap"), "cali,tap"), ("manage-devices", .text("no"), "false"),
      ("manage-devices", .json(false), "false"), ("route-source-address-v6", .text("fd00::1"), "fd00::1"),
      ("vxlan-mtu", .json(1400), "1400"), ("off-subnet-policy", .text("viaRouter"), "viaRouter"),
    ])
  func forms(_ words: String, _ given: Setting.Given, _ text: String) throws {
    let setting = try setting(words)
    var configuration = AgentConfiguration()
    try setting.take(given, &configuration)
    #expect(setting.text(configuration) == text)
  }

  @Test(
    "refuse what they cannot be, name it, and change nothing",
    arguments: [
      ("vxlan-port", Setting.Given.text("0"), "'0' is not a number from 1 to 65535"),
      ("vxlan-port", .text("+1"), "'+1' is not a number from 1 to 65535"),
      ("vxlan-port", .json("4789"), "\"4789\" is not a number from 1 to 65535"),
      ("vxlan-port", .json(65536), "65536 is not a number from 1 to 65535"),
      ("vxlan-port", .json(nil), "null is not a number from 1 to 65535"),
      ("vxlan-vni", .text("16777216"), "'16777216' is not a number from 1 to 16777215"),
      ("vxlan-mtu", .text("100"), "100 is less than any network's MTU; use 0, or 576 and more"),
      ("route-refresh-interval", .text("-1s"), ""), ("route-refresh-interval", .text("9223372036854775807h"), ""),
      ("route-refresh-interval", .json(true), ""), ("manage-devices", .json("true"), ""),
      ("manage-devices", .text("maybe"), "'maybe' is not true or false"),
      ("mode", .text("IPAM"), "'IPAM' is not one of ipam, podCIDR"),
      ("program-classes", .json(["vxlan", "gre"]), #"["vxlan","gre"] is not a list of any of vxlan, ipip, noencap"#),
      ("program-classes", .json([1]), ""), ("listen", .text("9098"), ""), ("listen", .text("localhost:80"), ""),
      ("listen", .text("::1:80"), ""), ("listen", .text("[127.0.0.1]:80"), ""), ("listen", .text("1.2.3.4:0"), ""),
      ("vxlan-device-v4", .text("a-name-of-16-byt"), ""), ("vxlan-device-v4", .text("a/b"), ""),
      ("ipip-device", .text(".."), ""), ("route-source-address-v4", .text("fd00::1"), ""),
      ("node-name", .json(7), ""), ("workload-interface-prefixes", .text("cali,,tap"), ""),
      ("route-table", .text("0"), ""), ("log-level", .text("loud"), ""),
    ])
  func refusals(_ words: String, _ given: Setting.Given, _ message: String) throws {
    let setting = try setting(words)
    var configuration = AgentConfiguration()
    let problem = #expect(throws: Setting.Problem.self) { try setting.take(given, &configuration) }
    #expect(problem?.message.hasPrefix(message) == true)
    #expect(configuration == AgentConfiguration())
  }
}
