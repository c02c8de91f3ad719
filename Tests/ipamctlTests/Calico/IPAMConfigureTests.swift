import ArgumentParser
import CalicoModel
import Datastore
import Testing

@testable import ipamctl

@Suite("ipamctl ipam configure and release")
final class IPAMConfigureTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private func configure(_ arguments: String...) async throws -> Transcript {
    try await IPAMConfigureCommand.asyncParse(arguments).execute(fixture.session)
  }

  private func release(_ address: String) async throws -> Transcript {
    try await IPAMReleaseCommand.asyncParse(["--ip=" + address]).execute(fixture.session)
  }

  @Test("sets what is named, a line for each, and keeps the rest")
  func setting() async throws {
    #expect(
      try await configure(
        "--max-blocks-per-host=20", "--strictaffinity=true", "--kubevirt-ip-persistence=Disabled",
        "--ip-cooldown-seconds=60")
        == Transcript(
          output: """
            Successfully set StrictAffinity to: true
            Successfully set MaxBlocksPerHost to: 20
            Successfully set KubeVirtVMAddressPersistence to: Disabled
            Successfully set IPCooldownSeconds to: 60

            """))
    #expect(try await configure("--ip-cooldown-seconds", "0").output == "Successfully set IPCooldownSeconds to: 0\n")
    #expect(
      try await fixture.text(.configuration)
        == #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":20,"#
        + #""kubeVirtVMAddressPersistence":"Disabled"}"#)
  }

  @Test(
    "refuses, and then changes nothing",
    arguments: [
      ([], "at least one configuration option must be specified"),
      (["--strictaffinity=yes"], "invalid value. Use true or false to set strictaffinity"),
      (["--max-blocks-per-host=many"], "invalid value for maxblockhost. Use a valid number"),
      (["--kubevirt-ip-persistence=enabled"], "invalid value for --kubevirt-ip-persistence. Use Enabled or Disabled"),
      (["--max-blocks-per-host=1"], "error: MaxBlocksPerHost requires StrictAffinity to be enabled"),
      (["--ip-cooldown-seconds=1201"], "error: IPCooldownSeconds must be between 0 and 1200"),
      (["--ip-cooldown-seconds=-1"], "at least one configuration option must be specified"),
    ])
  func refusal(_ arguments: [String], _ text: String) async throws {
    let command = try await IPAMConfigureCommand.asyncParse(arguments)
    #expect(try await command.execute(fixture.session) == .failed(text))
    #expect(try await fixture.text(.configuration) == nil)
  }

  @Test("keeps one of strict affinity and new blocks on")
  func exclusion() async throws {
    try await fixture.put(.configuration, #"{"strict_affinity":true}"#)
    #expect(
      try await configure("--strictaffinity=false")
        == .failed("error: Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time"))
  }

  @Test("an address is released by itself, once")
  func releasing() async throws {
    try await fixture.pool("p", "10.100.0.0/24", blockSize: 29)
    try await fixture.block("10.100.0.208/29", "host:node1", [.pod(1, "k8s-pod-network.c2", node: "node1")])
    try await fixture.handle("k8s-pod-network.c2", ["10.100.0.208/29": 1])
    #expect(
      try await release("10.100.0.209") == Transcript(output: "Successfully released IP address 10.100.0.209\n"))
    #expect(try await release("10.100.0.209") == .failed("IP address 10.100.0.209 is not assigned"))
    #expect(try await release("10.9.9.9") == .failed("IP address 10.9.9.9 is not assigned"))
    #expect(
      try await release("x")
        == Transcript(output: "Error executing command: invalid IP address specified: x\n", status: 1))
    #expect(try await fixture.text(.handle("k8s-pod-network.c2")) == nil)
  }
}

@Suite("Errors in calicoctl's form")
struct CalicoErrorTextTests {
  private func text(_ arguments: String...) async -> String? {
    do {
      _ = try await IPAMControl.asyncParseAsRoot(SwitchArguments.normalized(arguments))
      return nil
    } catch {
      return CalicoErrorText.text(for: error, arguments)
    }
  }

  @Test("unknown options are called flags")
  func flags() async {
    #expect(await text("get", "-m") == "unknown shorthand flag: 'm' in -m")
    #expect(await text("get", "ippool", "--unknown-flag") == "unknown flag: --unknown-flag")
    #expect(await text("ipam", "show", "--show-block") == "unknown flag: --show-block\ndid you mean '--show-blocks'?")
    #expect(await text("ipam", "show", "--ip") == "flag needs an argument: --ip")
    #expect(await text("get", "pools", "-o") == "flag needs an argument: 'o' in -o")
    #expect(
      await text("get", "pools", "-l", "loud")
        == "unknown log level: loud, expected one of: panic, fatal, error, warn, info, debug")
  }

  @Test("help is no error")
  func help() async {
    #expect(await text("get", "-h") == nil)
    #expect(await text("ipam", "gc", "--help") == nil)
  }

  @Test("switches may have values")
  func switches() async throws {
    let command = try #require(
      try await IPAMControl.asyncParseAsRoot(
        SwitchArguments.normalized(["ipam", "show", "--show-blocks=true", "--show-borrowed=false"])) as? IPAMShowCommand
    )
    #expect(command.showBlocks)
    #expect(!command.showBorrowed)
    #expect(SwitchArguments.normalized(["get", "pool", "-o=json", "-f=a=b"]) == ["get", "pool", "-ojson", "-fa=b"])
    #expect(SwitchArguments.normalized(["ipam", "configure", "--strictaffinity=true"]).last == "--strictaffinity=true")
    #expect(SwitchArguments.normalized(["host-local", "gc", "--apply=true"]).last == "--apply=true")
  }

  @Test("what calicoctl takes anywhere may be before the command")
  func optionsFirst() throws {
    #expect(
      SwitchArguments.normalized(["--allow-version-mismatch", "--context=a", "-l", "debug", "get", "pools"])
        == ["get", "pools", "--allow-version-mismatch", "--context=a", "-l", "debug"])
    #expect(
      SwitchArguments.normalized(["--context", "a", "ipam", "split", "--", "-4"])
        == ["ipam", "split", "--context", "a", "--", "-4"])
    #expect(SwitchArguments.normalized(["--context", "a", "route"]) == ["--context", "a", "route"])
    #expect(SwitchArguments.normalized(["--context"]) == ["--context"])
    #expect(SwitchArguments.normalized(["--help", "get"]) == ["--help", "get"])
  }

  @Test("a command that there is none of is named, with the one that was probably meant")
  func unknownCommands() {
    #expect(UnknownCommand.text(["gte", "ippools"]) == "unknown command \"gte\" for \"ipamctl\"\ndid you mean 'get'?")
    #expect(
      UnknownCommand.text(["ipam", "shw"]) == "unknown command \"shw\" for \"ipamctl ipam\"\ndid you mean 'show'?")
    #expect(
      UnknownCommand.text(["datastore", "migrate", "frobnicate"])
        == "unknown command \"frobnicate\" for \"ipamctl datastore migrate\"")
    for known in [["get", "gte"], ["ipam"], ["ipam", "--help"], ["help", "gte"], ["ipam", "split", "4"], []] {
      #expect(UnknownCommand.text(known) == nil)
    }
  }

  @Test("only commands that speak as calicoctl print so")
  func concerns() {
    #expect(CalicoErrorText.concerns(["ipam", "show"]))
    #expect(!CalicoErrorText.concerns(["host-local", "show"]))
    #expect(!CalicoErrorText.concerns(["--help"]))
  }
}
