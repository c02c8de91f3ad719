import ArgumentParser
import Testing

@testable import ipamctl

@Suite("The name that the program is called by")
struct ProgramTests {
  @Test(
    "decides what it is",
    arguments: [
      ("kubectl-ipam", Program.kubectlPlugin), ("/usr/local/bin/kubectl-ipam", .kubectlPlugin), ("ipamctl", .ipamctl),
      ("/opt/kubectl-ipam/ipamctl", .ipamctl), ("", .ipamctl), ("/", .ipamctl), ("kubectl-ipam2", .ipamctl),
    ])
  func name(_ path: String, _ program: Program) {
    #expect(Program(called: path) == program)
  }

  @Test(
    "is the one that texts speak of",
    arguments: [
      ("try 'ipamctl ipam show'", "try 'kubectl ipam show'"), ("ipamctl get ippools", "kubectl ipam get ippools"),
      ("ipamctl host-local show", "ipamctl host-local show"), ("ipamctl 0.1.0", "ipamctl 0.1.0"),
      ("kubectl-ipam show", "kubectl ipam show"), ("ipamctl", "ipamctl"), ("", ""),
      ("ipamctl datastore migrate lock; ipamctl ipam gc", "kubectl ipam datastore migrate lock; kubectl ipam gc"),
    ])
  func spoken(_ text: String, _ expected: String) {
    #expect(Program.kubectlPlugin.spoken(text) == expected)
    #expect(Program.ipamctl.spoken(text) == text)
  }

  @Test("of kubectl's plugin has the commands on pools and those of resources, each once, and none on files of a host")
  func commands() {
    let names = KubectlPlugin.configuration.subcommands.map { $0.configuration.commandName ?? "" }
    let wanted: Set = ["show", "check", "gc", "release", "configure", "get", "apply", "delete", "datastore"]
    #expect(wanted.isSubset(of: names))
    #expect(Set(names).count == names.count)
    #expect(!names.contains("host-local") && !names.contains("ipam"))
  }

  @Test("of kubectl's plugin reads the words behind it as ipamctl reads those behind 'ipam'")
  func parsing() async throws {
    let command = try await KubectlPlugin.asyncParseAsRoot(["show", "--show-blocks"])
    #expect((command as? IPAMShowCommand)?.showBlocks == true)
    #expect(try await KubectlPlugin.asyncParseAsRoot(["get", "ippools"]) is GetCommand)
  }
}
