import Netlink
import Routing
import Testing

@testable import ipam_node

@Suite("Configuration")
struct ConfigurationSourcesTests {
  private func sources(
    _ file: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:]
  ) throws -> ConfigurationSources {
    var sources = ConfigurationSources(environment: environment, flags: flags)
    if let file { sources.file = try ConfigurationFile(path: "/etc/node.yaml", text: Array(file.utf8)) }
    sources.nodeNames = NodeNameSources(file: "/nonexistent", hostName: { "host" })
    return sources
  }

  private func problems(_ sources: ConfigurationSources) -> [String] {
    #expect(throws: ConfigurationError.self) { try sources.effective() }?.problems ?? []
  }

  private func text(_ configuration: EffectiveConfiguration, _ words: String) throws -> String {
    let setting = try #require(Setting.all.first { $0.name.words == words })
    return "\(setting.text(configuration.values)) from \(configuration.origin(of: setting.name))"
  }

  @Test("nothing has to be said")
  func nothing() throws {
    let configuration = try sources().effective()
    var wanted = AgentConfiguration()
    wanted.routing.nodeName = "host"
    #expect(configuration.values == wanted)
    #expect(try text(configuration, "node-name") == "host from host name")
    #expect(try text(configuration, "vxlan-port") == "4789 from default")
  }

  @Test("flags overrule the environment, which overrules the file")
  func precedence() throws {
    let file = "vxlanPort: 1\nvxlanVNI: 1\nvxlanMTU: 1000\nnodeName: file\n"
    let environment = ["IPAM_NODE_VXLAN_PORT": "2", "IPAM_NODE_VXLAN_VNI": "2", "IPAM_NODE_IPIP_MTU": ""]
    let configuration = try sources(file, environment: environment, flags: ["vxlan-port": "3"]).effective()
    #expect(try text(configuration, "vxlan-port") == "3 from --vxlan-port")
    #expect(try text(configuration, "vxlan-vni") == "2 from IPAM_NODE_VXLAN_VNI")
    #expect(try text(configuration, "vxlan-mtu") == "1000 from /etc/node.yaml")
    #expect(try text(configuration, "node-name") == "file from /etc/node.yaml")
    #expect(try text(configuration, "ipip-mtu") == "0 from default")
  }

  @Test("a file may be YAML or JSON, and empty")
  func forms() throws {
    let texts = [
      "vxlanPort: 7", "{\"vxlanPort\": 7}", "{vxlanPort: 7, nodeName: }", "# only this\n---\nvxlanPort: 7\n",
    ]
    for file in texts { #expect(try sources(file).effective().values.routing.vxlanPort == 7, "\(file)") }
    for file in ["", "# nothing\n", "{}"] { #expect(try sources(file).effective().values.routing.vxlanPort == 4789) }
  }

  @Test("everything that is wrong is told at once, with place, value and the nearest name")
  func problems() throws {
    let file = "vxlanPrt: 7\nrouteMetric: 0\nmode: bgp\nxyzzy: 1\nvxlanPort: [1]\n"
    let environment = ["IPAM_NODE_VXLAN_PROT": "7", "IPAM_NODE_LISTEN": "nowhere"]
    let found = problems(try sources(file, environment: environment, flags: ["route-table": "x"]))
    #expect(
      found == [
        "/etc/node.yaml: vxlanPrt: there is no such key; did you mean vxlanPort?",
        "/etc/node.yaml: routeMetric: there is no such key; did you mean routeMetricV4?",
        "/etc/node.yaml: mode: \"bgp\" is not one of ipam, podCIDR",
        "/etc/node.yaml: xyzzy: there is no such key; 'ipam-node config' lists all",
        "/etc/node.yaml: vxlanPort: [1] is not a number from 1 to 65535",
        "environment: IPAM_NODE_LISTEN: 'nowhere' is not an address with a port, such as 127.0.0.1:9098 or [::1]:9098, "
          + "or off",
        "environment: IPAM_NODE_VXLAN_PROT: there is no such setting; did you mean IPAM_NODE_VXLAN_PORT?",
        "--route-table: 'x' is not a number from 1 to 4294967295",
      ])
  }

  @Test("a key that is there twice is refused")
  func duplicates() throws {
    let found = problems(try sources(#"{"vxlanPort": 1, "vxlanPort": 2}"#))
    #expect(found == ["/etc/node.yaml: vxlanPort: given twice"])
    #expect(throws: ConfigurationError.self) { try sources("vxlanPort: 1\nvxlanPort: 2\n") }
  }

  @Test("what is no list of keys is refused", arguments: ["- a", "7", "[1]", "a: b: c", "\u{0}", "{\"a\":"])
  func nonsense(_ file: String) {
    let error = #expect(throws: ConfigurationError.self) { try sources(file) }
    #expect(error?.problems.first?.hasPrefix("/etc/node.yaml: ") == true)
  }

  @Test("variables that Kubernetes makes for a Service of this name are none of ours")
  func kubernetes() throws {
    let environment = [
      "IPAM_NODE_SERVICE_HOST": "10.0.0.1", "IPAM_NODE_SERVICE_PORT_METRICS": "9098", "IPAM_NODE_PORT": "tcp://x",
      "IPAM_NODE_PORT_9098_TCP_ADDR": "10.0.0.1",
    ]
    #expect(try sources(environment: environment).effective().values.routing.nodeName == "host")
  }

  @Test("R-11: 80 is accepted together with the adoption of Felix's routes, and not without")
  func felix() throws {
    let found = problems(try sources(flags: ["route-protocol": "80"]))
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("--route-protocol: routeProtocol: 80 marks Felix's routes; set adoptFelix") == true)
    let adopting = try sources("adoptFelixTunnelRoutes: true", flags: ["route-protocol": "80"]).effective()
    #expect(adopting.values.routing.routeProtocol == .felix)
  }

  @Test("settings that contradict each other are refused")
  func contradictions() throws {
    #expect(problems(try sources("vxlanDeviceV6: vxlan.calico")).count == 1)
    #expect(problems(try sources("programClasses: []")).count == 1)
  }

  @Test("the node's name is in Calico's file, in NODENAME, or the host's, in this order")
  func nodeName() throws {
    var sources = try sources(environment: ["NODENAME": " variable "])
    #expect(try text(sources.effective(), "node-name") == "variable from NODENAME")
    sources.nodeNames = NodeNameSources(file: "/proc/self/comm", hostName: { "host" })
    #expect(try text(sources.effective(), "node-name").hasSuffix(" from /proc/self/comm"))
    sources.nodeNames = NodeNameSources(file: "/nonexistent", hostName: { "" })
    sources.environment = [:]
    #expect(problems(sources) == ["this node has no name: set nodeName (--node-name)"])
  }

  @Test("a file that was named must be there; the standard one need not")
  func missing() throws {
    #expect(try ConfigurationFile.read("/nonexistent", isOptional: true)?.path == nil)
    let error = #expect(throws: ConfigurationError.self) {
      try ConfigurationFile.read("/nonexistent", isOptional: false)
    }
    #expect(
      error?.description
        == "cannot read /nonexistent: no such file or directory; name another file with --config")
    #expect(throws: ConfigurationError.self) { try ConfigurationFile.read("/dev/zero", isOptional: false) }
  }

  @Test("what holds is printed with who says so")
  func table() throws {
    let lines = try sources(flags: ["vxlan-port": "3"]).effective().table.split(separator: "\n")
    #expect(lines.count == Setting.all.count + 1)
    #expect(lines.contains { $0.split(separator: " ") == ["vxlanPort", "3", "--vxlan-port"] })
  }
}
