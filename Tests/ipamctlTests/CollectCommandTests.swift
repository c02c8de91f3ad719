import ArgumentParser
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl host-local gc")
final class CollectCommandTests {
  private let host: HostFixture

  /// Two containers that no runtime knows and one that is running.
  init() throws {
    host = try HostFixture()
    try host.addRuntime(["running"])
    try host.reserve("10.1.2.2", "running")
    try host.reserve("10.1.2.3", "dead")
    try host.reserve("10.1.2.4", "dead", "net1")
  }

  private func collect(
    _ arguments: String...,
    between: (UInt32) throws -> Void = { _ in }
  ) throws -> CommandOutcome {
    try CollectCommand.parse(host.arguments() + arguments).execute(waiting: between)
  }

  @Test("shows what it would release, and changes nothing")
  func dryRun() throws {
    let outcome = try collect()
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines.first?.hasPrefix("would release 10.1.2.3 of network 'pods': container dead, interface eth0; dead: ") == true
    )
    #expect(lines.last == "Nothing was changed; --apply releases.")
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "10.1.2.4"])
    #expect(outcome.status == 0)
  }

  @Test("releases the dead and nothing else, a line with the evidence for each")
  func applies() throws {
    let outcome = try collect("--apply")
    #expect(try host.names() == ["10.1.2.2", "lock"])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.hasPrefix("released ") && $0.contains("no runtime knows the container") })
  }

  @Test("waits once, as long as told, and only if there is something to look at twice")
  func waits() throws {
    var waited: [UInt32] = []
    _ = try collect("--interval", "7") { waited.append($0) }
    #expect(waited == [7])
    _ = try collect("--apply") { waited.append($0) }
    #expect(waited == [7, 10])
    #expect(try collect() { waited.append($0) }.output == "Nothing to release: no reservation looks dead.")
    #expect(waited == [7, 10])
  }

  @Test("leaves a reservation that was made anew between the looks, for the same container even")
  func replaced() throws {
    let outcome = try collect("--apply") { _ in
      try host.replace("/data/pods/10.1.2.3", with: "dead\r\neth0")
    }
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "lock"])
    #expect(!outcome.output.contains("10.1.2.3"))
  }

  @Test("leaves a reservation whose container came to life between the looks")
  func comesToLife() throws {
    let outcome = try collect("--apply") { _ in
      try host.makeDirectory("/run/runc/dead")
    }
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "10.1.2.4"])
    #expect(outcome.output == "Nothing to release: no reservation looks dead.")
  }

  @Test("leaves a reservation whose address came up in a namespace between the looks")
  func vetoed() throws {
    _ = try collect("--apply") { _ in
      try host.addProcess("4711", addresses: ["10.1.2.3"])
    }
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "lock"])
  }

  @Test("does not release what died only between the looks")
  func diesMeanwhile() throws {
    _ = try collect("--apply") { _ in
      try host.remove("/run/runc/running")
    }
    #expect(try host.names() == ["10.1.2.2", "lock"])
  }

  @Test("leaves alone what changes after the second look, and says so")
  func changesAfterwards() throws {
    let command = try CollectCommand.parse(host.arguments())
    let networks = ["pods"]
    let inventory = command.store.inventory
    let look = try Observation(inventory, networks: networks, roots: host.roots)
    try host.reserve("10.1.2.3", "reborn")
    var report = CollectionReport(first: look, second: look, budget: nil)
    report.released = try Release.perform(report.chosen, inventory)
    let lines = report.outcome(command.store, interval: 1).output.split(separator: "\n")
    #expect(lines.first == "left alone 10.1.2.3 of network 'pods': it changed meanwhile")
    #expect(lines.last?.hasPrefix("released 10.1.2.4") == true)
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "lock"])
  }

  @Test("releases no more than its budget")
  func budget() throws {
    let outcome = try collect("--apply", "--max-releases", "1")
    #expect(try host.names() == ["10.1.2.2", "10.1.2.4", "lock"])
    #expect(outcome.output.hasSuffix("1 more look dead and are beyond --max-releases."))
  }

  @Test("fails, and releases nothing, when it cannot look everywhere")
  func incomplete() throws {
    try host.remove("/proc/1")
    let outcome = try collect("--apply")
    #expect(outcome.status == 1)
    #expect(outcome.diagnostics.count == 1)
    #expect(outcome.output.contains("not everything could be looked at"))
    #expect(try host.names() == ["10.1.2.2", "10.1.2.3", "10.1.2.4"])
  }

  @Test("prints a document, and its log beside it")
  func document() throws {
    let outcome = try collect("--apply", "-o", "json", "--max-releases", "1")
    let document = try #require(try JSON(parsing: Array(outcome.output.utf8)).objectValue)
    #expect(document.members.map(\.key) == ["dataDir", "applied", "interval", "host", "dead", "reservations"])
    #expect(document["applied"] == true)
    #expect(document["dead"] == 2)
    let reservation = try #require(document["reservations"]?.arrayValue?.first?.objectValue)
    #expect(
      reservation.members.map(\.key) == [
        "network", "address", "container", "interface", "since", "state", "reasons", "released",
      ]
    )
    #expect(reservation["released"] == true)
    #expect(outcome.diagnostics.count == 1)
    #expect(outcome.diagnostics.first?.hasPrefix("released 10.1.2.3 of network 'pods'") == true)
  }
}
