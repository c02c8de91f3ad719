import ArgumentParser
import CalicoModel
import IPAddressing
import PoolMap
import Testing

@testable import ipamctl

@Suite("ipamctl ipam map")
final class IPAMMapTests {
  private let fixture: CalicoFixture
  private let plain = TextStyle(hasUnicode: false, hasColours: false)

  init() throws { fixture = try CalicoFixture() }

  private func map(_ arguments: String...) async throws -> Transcript {
    try await IPAMMapCommand.asyncParse(arguments).execute(fixture.session, plain)
  }

  private func fill() async throws {
    try await fixture.pool("lan", "10.65.0.0/27", blockSize: 29)
    let pod = CalicoFixture.Held.pod
    try await fixture.block("10.65.0.0/29", "host:node-1", [pod(0, "h0", "node-1", "a"), pod(1, "h1", "node-2", "b")])
    try await fixture.block("10.65.0.8/29", "host:node-2", [.cooling(3)])
    try await fixture.put(.resource(.ipReservation, "r"), #"{"spec":{"reservedCIDRs":["10.65.0.30/31"]}}"#)
  }

  @Test("draws every pool, a small one address by address")
  func pools() async throws {
    try await fill()
    try await fixture.put(.configuration, #"{"auto_allocate_blocks":true,"ipCooldownSeconds":60}"#)
    try await fixture.pool("wide", "10.66.0.0/16")
    let output = try await map().output
    #expect(
      output.hasPrefix(
        """
        IP pool lan
        10.65.0.0/27, room for 4 blocks of 8 addresses
        2 blocks exist, held by 2 nodes

          10.65.0.0/29   # b . . . . . .  node-1: 2 of 8 in use, 1 of them borrowed
          10.65.0.8/29   . . . ~ . . . .  node-2: none of 8 in use, 1 cooling down
          10.65.0.16/29  . . . . . . . .  no block: 8 free
          10.65.0.24/29  . . . . . . x x  no block: none of 8 in use, 2 reserved

        """))
    #expect(output.contains("\nIP pool wide\n10.66.0.0/16, room for 1,024 blocks of 64 addresses\nno block exists\n"))
  }

  @Test("counts what has cooled down as free, as the next request does")
  func cooled() async throws {
    try await fill()
    #expect(try await map("lan").output.contains("10.65.0.8/29   o o o o o o o o  node-2: empty, 8 free"))
  }

  @Test(
    "draws a part of a pool, for an address the block that it lies in",
    arguments: ["10.65.0.8/29", "10.65.0.8/30", "10.65.0.11", "10.65.0.11/29"])
  func part(_ part: String) async throws {
    try await fill()
    let output = try await map(part).output
    #expect(output.hasPrefix("IP pool lan\n10.65.0.8/29, one block of 8 addresses\n"))
    #expect(!output.contains("10.65.0.0/29"))
  }

  @Test(
    "refuses what is in no pool, and names the pools",
    arguments: [
      ("other", "named 'other'"), ("10.99.0.0/24", "that contains 10.99.0.0/24"),
      ("fd00::1", "that contains fd00::1/128"),
      ("10.65.0.0/16", "that contains 10.65.0.0/16"),
    ])
  func unknown(_ pool: String, _ what: String) async throws {
    try await fill()
    let text = "there is no IP pool \(what); the pools are: lan (10.65.0.0/27)\n"
    #expect(try await map(pool) == Transcript(errors: text, status: 1))
  }

  @Test("of nothing says that there is nothing")
  func nothing() async throws {
    #expect(try await map() == Transcript(output: "There are no IP pools.\n"))
    let text = "there is no IP pool named 'x'; there is none at all\n"
    #expect(try await map("x") == Transcript(errors: text, status: 1))
  }

  @Test("goes on when an entry cannot be read, and says which")
  func unreadable() async throws {
    try await fill()
    try await fixture.put(.resource(.ipPool, "bad"), "[]")
    try await fixture.pool("odd", "10.70.0.0/26", blockSize: 20)
    try await fixture.put(.resource(.ipReservation, "worse"), "nonsense")
    try await fixture.put(.block(try #require(CIDR("10.65.0.16/29"))), "{}")
    try await fixture.block("10.99.0.0/26", "host:node-1")
    let transcript = try await map()
    #expect(transcript.status == 0)
    #expect(transcript.output.contains("10.65.0.16/29  ? ? ? ? ? ? ? ?  cannot be read"))
    for text in [
      "IPPool bad cannot be read", "IPPool odd is left out", "IPReservation(worse) cannot be read",
      "block 10.65.0.16/29 cannot be read", "note: 1 block in no pool",
    ] {
      #expect(transcript.errors.contains(text), "\(text)")
    }
  }

  @Test("shows what a node has announced and not made yet")
  func claims() async throws {
    try await fill()
    let cidr = try #require(CIDR("10.65.0.16/29"))
    try await fixture.put(.affinity(BlockOwner(.host, "node-3"), cidr), #"{"state":"pending"}"#)
    let gone = try #require(CIDR("10.65.0.24/29"))
    try await fixture.put(.affinity(BlockOwner(.host, "node-3"), gone), #"{"state":"pendingDeletion"}"#)
    let output = try await map().output
    #expect(output.contains("10.65.0.16/29  o o o o o o o o  claimed by node-3, not made yet: empty, 8 free"))
    #expect(output.contains("10.65.0.24/29  . . . . . . x x  no block"))
  }

  @Test("writes files, and then prints what it wrote")
  func files() async throws {
    try await fill()
    let (page, picture) = (fixture.host.root + "/map.html", fixture.host.root + "/map.svg")
    let transcript = try await map("--html", page, "--svg", picture)
    #expect(transcript.output.hasPrefix("wrote \(page), "))
    #expect(transcript.output.contains("\nwrote \(picture), "))
    #expect(try await map("--svg", "-").output.hasPrefix("<svg "))
    #expect(try await map("--html", "-").output.hasPrefix("<!doctype html>"))
    let failed = try await map("--html", fixture.host.root + "/none/map.html")
    #expect(failed.status == 1)
    #expect(failed.errors.contains("No such file or directory"))
  }

  @Test("does not draw a picture that nobody could look at")
  func tooLarge() async throws {
    try await fixture.pool("v6", "fd00::/64", blockSize: 116)
    for index in 0..<5 { try await fixture.block("fd00::\(index)000/116", "host:n") }
    let failed = try await map("--svg", "-", "--addresses")
    #expect(failed.status == 1)
    #expect(failed.errors.hasPrefix("a picture of 20480 addresses is too large to be looked at, 16384 is the most"))
    #expect(try await map("--svg", "-").status == 0)
  }

  @Test(
    "refuses files without a name, and one for both",
    arguments: [["--html", ""], ["--svg", ""], ["--html", "x", "--svg", "x"]])
  func usage(_ arguments: [String]) async {
    await #expect(throws: (any Error).self) { try await IPAMMapCommand.asyncParse(arguments) }
  }
}

@Suite("What a terminal is taken to show")
struct TerminalViewTests {
  private static let capable = ["TERM": "xterm-256color", "LANG": "C.UTF-8"]

  @Test(
    "follows the terminal and the environment",
    arguments: [
      (capable, 120, true, true), (capable, nil, false, false),
      (["TERM": "dumb", "LANG": "C.UTF-8"], 80, false, false),
      (["LANG": "C.UTF-8"], 80, false, false), (["TERM": "xterm", "LANG": "C"], 80, false, true),
      (["TERM": "linux", "LANG": "de_DE.utf8"], 80, false, true),
      (["TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "POSIX"], 80, false, true),
      (["TERM": "xterm", "LANG": "C", "LC_CTYPE": "de_DE.UTF-8", "NO_COLOR": "1"], 80, true, false),
      (capable.merging(["NO_COLOR": ""]) { $1 }, 80, true, true),
    ] as [([String: String], Int?, Bool, Bool)])
  func automatic(_ environment: [String: String], _ columns: Int?, _ hasUnicode: Bool, _ hasColours: Bool) {
    let style = TerminalView.style(.auto, environment, columns: columns)
    #expect(style == TextStyle(hasUnicode: hasUnicode, hasColours: hasColours, width: columns ?? 80))
  }

  @Test("is what the command line says, where it says something")
  func explicit() {
    let muted = Self.capable.merging(["NO_COLOR": "1"]) { $1 }
    #expect(TerminalView.style(.always, muted, columns: nil) == TextStyle(hasUnicode: true, hasColours: true))
    #expect(
      TerminalView.style(.never, Self.capable, columns: 100)
        == TextStyle(hasUnicode: true, hasColours: false, width: 100))
  }
}
