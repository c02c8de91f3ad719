import ArgumentParser
import Testing

@testable import ipam_node

@Suite("The command line")
struct CommandLineTests {
  @Test("has a flag for every setting")
  func flags() throws {
    let help = IPAMNode.helpMessage(for: ConfigCommand.self, columns: 400)
    for setting in Setting.all { #expect(help.contains("  \(setting.name.flag)"), "\(setting.name)") }
    for section in Setting.Section.allCases { #expect(help.contains("\(section.rawValue.uppercased()):\n")) }
  }

  @Test("gives the values of flags, and only of those that are there")
  func values() throws {
    let arguments = [
      "--vxlan-port", "5", "--route-table=7", "--manage-devices=false", "--pool-catch-all", "--node-name", "n1",
      "--no-allocate-tunnel-addresses", "--adopt-bird-tunnel-routes=true",
    ]
    let options = try ConfigCommand.parse(ToggleArguments.normalized(arguments)).options
    #expect(options.agent.values == ["node-name": "n1", "allocate-tunnel-addresses": "false"])
    #expect(options.routes.values == ["route-table": "7", "pool-catch-all": "true"])
    #expect(options.tunnels.values == ["vxlan-port": "5", "manage-devices": "false"])
    #expect(options.coexistence.values == ["adopt-bird-tunnel-routes": "true"])
  }

  @Test("an unknown flag is refused, with the nearest one")
  func unknown() {
    let error = #expect(throws: (any Error).self) { try ConfigCommand.parse(["--vxlan-prot", "5"]) }
    #expect(error.map { ConfigCommand.message(for: $0) }?.contains("Did you mean '--vxlan-port'?") == true)
  }
}
