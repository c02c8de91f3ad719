import ArgumentParser
import Testing

@testable import ipamctl

@Suite("Bad input")
final class UsageTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  @Test(
    "is a usage error",
    arguments: [
      ["show", "--output", "yaml"], ["show", "--data-dir", ""], ["show", "--network", "../etc"], ["show", "extra"],
      ["check", "--network", ""], ["gc", "--interval", "0"], ["gc", "--interval", "-1"], ["gc", "--max-releases", "0"],
      ["release", "10.1.2.3"], ["release", "--network", "pods"], ["release", "10.1.2.3/24", "--network", "pods"],
      ["release", "10.1.2.300", "--network", "pods"], ["release", "10.1.2.3", "--network", "a/b"],
      ["release", "10.1.2.3", "--container", "c1", "--network", "pods"],
      ["release", "10.1.2.3", "--interface", "eth0", "--network", "pods"], ["forget"],
    ]
  )
  func usage(_ arguments: [String]) async {
    let failure = await #expect(throws: (any Error).self) {
      try await IPAMControl.asyncParseAsRoot(["host-local"] + arguments)
    }
    #expect(failure.map { IPAMControl.exitCode(for: $0).rawValue } == 64)
  }

  @Test("names what was attempted, what was found, and the next step")
  func messages() throws {
    try host.reserve("10.1.2.2", "c1")
    expect("network 'web' has no directory below \(host.dataDirectory); the networks there are: pods") {
      try ShowCommand.parse(host.arguments("--network", "web")).execute()
    }
    expect("name the 'dataDir' of the plugin's configuration with --data-dir") {
      try CheckCommand.parse(["--data-dir", host.root + "/missing"]).execute()
    }
    try host.write("", to: "/file")
    expect("cannot list the networks below \(host.root)/file: open \(host.root)/file: not a directory") {
      try CollectCommand.parse(["--data-dir", host.root + "/file"]).execute { _ in }
    }
    expect("10.1.2.9 is not reserved in network 'pods', which has 1 reservation") {
      try ReleaseCommand.parse(host.arguments("10.1.2.2", "10.1.2.9", "--network", "pods", "--apply")).execute()
    }
    expect("container 'c2' holds nothing in network 'pods'") {
      try ReleaseCommand.parse(host.arguments("--container", "c2", "--network", "pods", "--apply")).execute()
    }
    #expect(try host.names() == ["10.1.2.2"])
  }

  private func expect(
    _ text: String,
    _ location: SourceLocation = #_sourceLocation,
    _ body: () throws -> CommandOutcome
  ) {
    let failure = #expect(throws: CommandFailure.self, sourceLocation: location) { try body() }
    let description = failure?.description ?? ""
    #expect(description.contains(text), sourceLocation: location)
    #expect(failure.map { IPAMControl.exitCode(for: $0).rawValue } == 1, sourceLocation: location)
  }
}
