import ArgumentParser
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl host-local check")
final class CheckCommandTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  @Test("tells the living from the dead, and why")
  func states() throws {
    try host.addRuntime(["known"])
    try host.addProcess("4711", addresses: ["10.1.2.2"])
    try host.reserve("10.1.2.2", "configured")
    try host.reserve("10.1.2.3", "known")
    try host.reserve("10.1.2.4", "unheard")
    try host.reserve("10.1.2.5", "lost")
    try host.cache("lost", namespace: "/run/netns/lost")
    try host.reserve("10.1.2.6", content: "kept for the printer")
    try host.reserve("10.1.2.7", content: "\0\0")
    let outcome = try CheckCommand.parse(host.arguments("-o", "json")).execute()
    #expect(outcome.status == 1)
    #expect(outcome.diagnostics.isEmpty)
    let network = try network(in: outcome)
    let reservations = try #require(network["reservations"]?.arrayValue).compactMap(\.objectValue)
    #expect(reservations.map { $0["state"] } == ["alive", "alive", "dead", "dead", "unknown", "damaged"])
    #expect(
      reservations.map { $0["reasons"]?.arrayValue?.first?.objectValue?["code"] } == [
        "addressConfigured", "containerKnown", "containerUnknown", "namespaceGone", "namesNoContainer", "entryEmpty",
      ]
    )
    #expect(network["counts"] == ["alive": 2, "dead": 2, "unknown": 1, "damaged": 1])
    let table = try CheckCommand.parse(host.arguments()).execute().output
    #expect(table.contains("its address is configured in the network namespace of process 4711 (pause)"))
    #expect(table.contains("a runtime knows the container (/run/runc/known)"))
    #expect(table.contains("pods: 2 alive, 2 dead, 1 unknown, 1 damaged"))
    #expect(table.contains("ipamctl host-local gc"))
  }

  @Test("takes an old entry for what its container is, on any interface")
  func oldFormat() throws {
    try host.addRuntime(["known"])
    try host.reserve("10.1.2.2", content: "known")
    try host.reserve("10.1.2.3", content: "lost")
    try host.cache("lost", namespace: "/run/netns/lost")
    let table = try CheckCommand.parse(host.arguments()).execute().output
    #expect(table.contains("pods: 1 alive, 1 dead, 0 unknown, 0 damaged"))
    #expect(table.contains("its network namespace /run/netns/lost is gone"))
  }

  @Test("does not take another network's note for its own")
  func otherNetwork() throws {
    try host.reserve("10.1.2.2", "c1")
    try host.cache("c1", namespace: "/run/netns/lost", network: "other")
    #expect(try CheckCommand.parse(host.arguments()).execute().output.contains("1 unknown"))
  }

  @Test("succeeds when nothing is known, and when there is nothing")
  func quiet() throws {
    #expect(try CheckCommand.parse(host.arguments()).execute().status == 0)
    try host.reserve("10.1.2.2", "c1")
    #expect(try CheckCommand.parse(host.arguments()).execute().status == 0)
  }

  @Test("takes nothing for dead when it cannot look everywhere, and says so")
  func incomplete() throws {
    try host.addRuntime()
    try host.reserve("10.1.2.2", "c1")
    #expect(try CheckCommand.parse(host.arguments()).execute().status == 1)
    try host.remove("/proc/1")
    let outcome = try CheckCommand.parse(host.arguments("-o", "json")).execute()
    #expect(outcome.status == 0)
    #expect(outcome.diagnostics.first?.hasPrefix("warning: not all processes can be seen") == true)
    #expect(try network(in: outcome)["counts"] == ["alive": 0, "dead": 0, "unknown": 1, "damaged": 0])
    let document = try #require(try JSON(parsing: Array(outcome.output.utf8)).objectValue)
    #expect(document["host"]?.objectValue?["obstacles"]?.arrayValue?.count == 1)
  }

  private func network(in outcome: CommandOutcome) throws -> JSONObject {
    let document = try JSON(parsing: Array(outcome.output.utf8)).objectValue
    return try #require(document?["networks"]?.arrayValue?.first?.objectValue)
  }
}
