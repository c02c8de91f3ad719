import ArgumentParser
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl host-local release")
final class ReleaseCommandTests {
  private let host: HostFixture

  init() throws {
    host = try HostFixture()
    try host.reserve("10.1.2.2", "c1")
    try host.reserve("10.1.2.3", "c1", "net1")
    try host.reserve("10.1.2.4", content: "c1")
    try host.reserve("10.1.2.5", "c2")
    try host.write("10.1.2.5", to: "/data/pods/last_reserved_ip.0")
  }

  private static let all = ["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5"]
  private static let files = ["last_reserved_ip.0", "lock"]

  @Test("changes nothing unless told to, and says what it would do")
  func dryRun() throws {
    let outcome = try ReleaseCommand.parse(host.arguments("10.1.2.2", "--network", "pods")).execute()
    #expect(
      outcome.output.hasPrefix("would release 10.1.2.2 of network 'pods': container c1, interface eth0; unknown: "))
    #expect(outcome.output.hasSuffix("Nothing was changed; --apply releases."))
    #expect(try host.names() == Self.all + ["last_reserved_ip.0"])
  }

  /// A choice, and what is left of all after it.
  struct Choice: CustomTestStringConvertible, Sendable {
    let arguments: [String]
    let left: [String]
    var testDescription: String { arguments.joined(separator: " ") }
  }

  @Test(
    "releases",
    arguments: [
      Choice(arguments: ["10.1.2.2", "10.1.2.5", "10.1.2.2"], left: ["10.1.2.3", "10.1.2.4"]),
      Choice(arguments: ["--container", "c1"], left: ["10.1.2.5"]),
      Choice(arguments: ["--container", "c1", "--interface", "net1"], left: ["10.1.2.2", "10.1.2.4", "10.1.2.5"]),
      Choice(arguments: ["--container", "c1", "--interface", "eth9"], left: ["10.1.2.2", "10.1.2.3", "10.1.2.5"]),
    ]
  )
  func applies(_ choice: Choice) throws {
    let command = try ReleaseCommand.parse(host.arguments() + choice.arguments + ["--network", "pods", "--apply"])
    let outcome = try command.execute()
    #expect(try host.names() == choice.left + Self.files)
    #expect(outcome.output.split(separator: "\n").count == Self.all.count - choice.left.count)
    #expect(outcome.output.hasPrefix("released "))
  }

  @Test("does not touch an address that a live namespace has, nor the others named with it")
  func veto() throws {
    try host.addProcess("4711", addresses: ["10.1.2.5"])
    let arguments = host.arguments("10.1.2.2", "10.1.2.5", "--network", "pods", "--apply")
    let failure = #expect(throws: CommandFailure.self) { try ReleaseCommand.parse(arguments).execute() }
    #expect(failure?.description.contains("10.1.2.5 is configured in the network namespace of process 4711") == true)
    #expect(failure?.description.contains("--even-if-alive") == true)
    #expect(try host.names() == Self.all + ["last_reserved_ip.0"])
    _ = try ReleaseCommand.parse(arguments + ["--even-if-alive"]).execute()
    #expect(try host.names() == ["10.1.2.3", "10.1.2.4"] + Self.files)
  }

  @Test("does nothing when it cannot tell whether an address is in use")
  func incomplete() throws {
    try host.remove("/proc/1")
    let arguments = host.arguments("10.1.2.2", "--network", "pods", "--apply")
    let failure = #expect(throws: CommandFailure.self) { try ReleaseCommand.parse(arguments).execute() }
    #expect(failure?.description.contains("cannot be told") == true)
    #expect(try host.names().contains("10.1.2.2"))
    _ = try ReleaseCommand.parse(arguments + ["--even-if-alive"]).execute()
    #expect(try !host.names().contains("10.1.2.2"))
  }

  @Test("prints a document")
  func document() throws {
    let outcome = try ReleaseCommand.parse(host.arguments("10.1.2.2", "--network", "pods", "-o", "json")).execute()
    let document = try #require(try JSON(parsing: Array(outcome.output.utf8)).objectValue)
    #expect(document.members.map(\.key) == ["dataDir", "network", "applied", "reservations"])
    #expect(document["applied"] == false)
    #expect(document["reservations"]?.arrayValue?.first?.objectValue?["address"] == "10.1.2.2")
  }
}
