import CalicoEngine
import Datastore
import HostLocal
import Testing

@testable import CalicoPlugin

@Suite("calico-ipam called by a person")
struct CommandLineCallTests {
  @Test(
    "takes flags with one dash or two, and values apart or attached",
    arguments: [
      ["-upgrade", "-network", "web", "-node", "n1"], ["--upgrade", "--network=web", "--node=n1"],
      ["-upgrade=true", "-node=n1", "--network", "web"], ["-network", "web", "-node", "n1", "-upgrade=1"],
    ])
  func upgrade(_ arguments: [String]) {
    var expected = CommandLineCall.Upgrade()
    expected.network = "web"
    expected.node = "n1"
    #expect(CommandLineCall(arguments).request == .upgrade(expected))
  }

  @Test("knows where things are unless it is told")
  func defaults() {
    let upgrade = CommandLineCall.Upgrade()
    #expect(upgrade.network == "k8s-pod-network")
    #expect(upgrade.dataDirectory == "/var/lib/cni/networks")
    #expect(upgrade.database == "")
    #expect(CommandLineCall(["-upgrade"]).request == .upgrade(upgrade))
  }

  @Test("asks for the version or for help", arguments: [("-v", true), ("--v", true), ("-h", false), ("--help", false)])
  func information(_ argument: String, _ isVersion: Bool) {
    #expect(CommandLineCall([argument]).request == (isVersion ? .version : .help))
  }

  @Test(
    "refuses what it does not know, and says what",
    arguments: [
      (["-x"], "flag provided but not defined: -x"), (["-upgrade", "-node"], "flag needs an argument: -node"),
      (["stray"], "unexpected argument: stray"),
      (["-upgrade=perhaps"], "invalid boolean value \"perhaps\" for -upgrade"),
      (["-node", "n"], "nothing to do: -upgrade is missing"),
      (["-upgrade", "-network", "../etc"], "invalid value \"../etc\" for -network: it is no network's name"),
    ])
  func misuse(_ arguments: [String], _ problem: String) async {
    let call = CommandLineCall(arguments)
    #expect(call.request == .misuse(problem))
    #expect(await call.run { _ in SharedDatastore(InMemoryDatastore()) } == 2)
  }

  @Test("is named in full where a refusal names it, and reads back as the same")
  func commandLine() {
    var upgrade = CommandLineCall.Upgrade()
    upgrade.network = "web"
    #expect(upgrade.commandLine == "calico-ipam -upgrade -network web")
    upgrade.node = "n1"
    upgrade.dataDirectory = "/d"
    upgrade.database = "/b"
    let words = upgrade.commandLine.split(separator: " ").dropFirst().map(String.init)
    #expect(CommandLineCall(words).request == .upgrade(upgrade))
  }

  @Test("tries again what time heals, and nothing else")
  func passing() {
    #expect(CommandLineCall.isPassing(DatastoreError(.unavailable, "busy")))
    #expect(CommandLineCall.isPassing(EngineError(.contention, "busy")))
    #expect(!CommandLineCall.isPassing(DatastoreError(.forbidden, "no")))
    #expect(!CommandLineCall.isPassing(EngineError(.unreadable, "no")))
  }
}
