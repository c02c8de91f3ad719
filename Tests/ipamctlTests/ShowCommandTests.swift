import ArgumentParser
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl host-local show")
final class ShowCommandTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  /// Two networks with everything that may lie in their directories.
  private func fill() throws {
    try host.reserve("10.1.2.10", "c1")
    try host.reserve("10.1.2.9", content: "old")
    try host.reserve("10.1.2.11", content: "")
    try host.reserve("2001:db8::2", "c1")
    try host.write("10.1.2.11", to: "/data/pods/last_reserved_ip.0")
    try host.write("2001:db8::2", to: "/data/pods/last_reserved_ip.1")
    try host.write("", to: "/data/pods/lock")
    try host.write("notes", to: "/data/pods/README")
    try host.makeDirectory("/data/.swift-ipam/pods")
    try host.reserve("10.3.0.2", "c3", "net1", network: "other")
  }

  @Test("lists every reservation by network and address, marks old and damaged ones, and sums up")
  func table() throws {
    try fill()
    let outcome = try ShowCommand.parse(host.arguments()).execute()
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: " ").prefix(4).joined(separator: " ")
    }
    #expect(
      lines == [
        "ADDRESS CONTAINER INTERFACE NETWORK", "10.3.0.2 c3 net1 other", "10.1.2.9 old - pods",
        "10.1.2.10 c1 eth0 pods",
        "10.1.2.11 (damaged) - pods", "2001:db8::2 c1 eth0 pods", "", "other: 1 reservation; reserved",
        "pods: 4 reservations, 1",
      ]
    )
    #expect(
      outcome.output.contains(
        "pods: 4 reservations, 1 of them damaged; reserved last: 10.1.2.11 (set 0), 2001:db8::2 (set 1)"))
    #expect(outcome.output.contains("other: 1 reservation; reserved last: nothing"))
    #expect(outcome.status == 0)
  }

  @Test("lists the networks asked for only, each once")
  func networks() throws {
    try fill()
    let arguments = host.arguments("--network", "other", "--network", "other")
    let output = try ShowCommand.parse(arguments).execute().output
    #expect(output.contains("10.3.0.2"))
    #expect(!output.contains("pods"))
    #expect(output.split(separator: "\n").count == 3)
  }

  @Test("prints a document with every key in every reservation")
  func document() throws {
    try fill()
    let outcome = try ShowCommand.parse(host.arguments("-o", "json", "--network", "pods")).execute()
    let document = try #require(try JSON(parsing: Array(outcome.output.utf8)).objectValue)
    #expect(document.members.map(\.key) == ["dataDir", "networks"])
    let network = try #require(document["networks"]?.arrayValue?.first?.objectValue)
    #expect(network["name"] == "pods")
    #expect(network["cursors"] == [["set": 0, "address": "10.1.2.11"], ["set": 1, "address": "2001:db8::2"]])
    let reservations = try #require(network["reservations"]?.arrayValue).compactMap(\.objectValue)
    for reservation in reservations {
      #expect(
        reservation.members.map(\.key) == ["address", "container", "interface", "since", "damaged", "earlierBoot"]
      )
    }
    #expect(reservations.map { $0["address"] } == ["10.1.2.9", "10.1.2.10", "10.1.2.11", "2001:db8::2"])
    #expect(reservations.map { $0["container"] } == ["old", "c1", JSON.null, "c1"])
    #expect(reservations.map { $0["interface"] } == [JSON.null, "eth0", JSON.null, "eth0"])
    #expect(reservations.map { $0["damaged"] } == [false, false, true, false])
    #expect(reservations.first?["since"]?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
  }

  @Test("says that there are no networks")
  func nothing() throws {
    #expect(try ShowCommand.parse(host.arguments()).execute().output == "no networks below \(host.dataDirectory)")
    let document = try ShowCommand.parse(host.arguments("-o", "json")).execute().output
    #expect(try JSON(parsing: Array(document.utf8)).objectValue?["networks"] == [])
  }
}
