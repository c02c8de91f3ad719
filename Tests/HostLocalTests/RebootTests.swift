import FileSystem
import Glibc
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("After a reboot")
struct RebootTests {
  private static let secondBoot = "22222222-2222-2222-2222-222222222222"
  private static let thirdBoot = "33333333-3333-3333-3333-333333333333"

  private static var reclaiming: HostLocalOptions {
    var options = HostLocalOptions()
    options.reclaimsAfterReboot = true
    return options
  }

  @Test("reservations recorded in an earlier boot are taken back at the first call, with a word on it")
  func reclaims() async throws {
    let directory = try TemporaryDirectory()
    let log = Log()
    let backend = try directory.backend("10.0.0.0/29", options: Self.reclaiming, log: log)
    for number in 1...5 { _ = try await backend.add(.container("old\(number)")) }
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("new")) }
    try directory.boot(Self.secondBoot)
    let address = try await backend.add(.container("new"))
    #expect(try directory.reservations() == [address])
    #expect(log.lines.contains { $0.contains("reclaimed 5 reservations") })
  }

  @Test("without the option nothing is taken back")
  func isOffByDefault() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/29")
    for number in 1...5 { _ = try await backend.add(.container("old\(number)")) }
    try directory.boot(Self.secondBoot)
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("new")) }
    #expect(try directory.reservations().count == 5)
  }

  @Test("in the same boot nothing is taken back")
  func keepsInSameBoot() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    _ = try await backend.add(.container("c1"))
    _ = try await backend.add(.container("c2"))
    #expect(try directory.reservations().count == 2)
  }

  @Test("a container that comes back gets its address, and nobody else does while there are others")
  func returnsAddress() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/28", options: Self.reclaiming)
    var addresses: [String: String] = [:]
    for number in 1...8 { addresses["c\(number)"] = try await backend.add(.container("c\(number)")) }
    try directory.boot(Self.secondBoot)
    // 13 addresses, 8 of them spoken for: five strangers are served without touching them.
    var strangers: Set<String> = []
    for number in 1...5 { strangers.insert(try await backend.add(.container("stranger\(number)"))) }
    #expect(strangers.isDisjoint(with: addresses.values))
    for number in [5, 1, 8, 2] {
      #expect(try await backend.add(.container("c\(number)")) == addresses["c\(number)"])
    }
  }

  @Test("a returning container keeps its claim when the call is rolled back")
  func keepsClaimOnRollback() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", "10.1.0.0/30", options: Self.reclaiming)
    _ = try await backend.add(.container("c0"))
    try await backend.release(.container("c0"))
    #expect(try await backend.add(.container("c1")) == "10.0.0.3 10.1.0.2")
    try directory.boot(Self.secondBoot)
    try directory.write("data/net/10.1.0.2", "other\r\neth0")
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
    directory.remove("data/net/10.1.0.2")
    #expect(try await backend.add(.container("c1")) == "10.0.0.3 10.1.0.2")
  }

  @Test("a former address that has become the gateway is not given again")
  func sparesGateway() async throws {
    let directory = try TemporaryDirectory()
    var written = WrittenRange()
    written.subnet = WrittenCIDR("10.0.0.0/24")
    written.gateway = IPAddress("10.0.0.2")
    let before = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    #expect(try await before.add(.container("c1")) == "10.0.0.2")
    try directory.boot(Self.secondBoot)
    var configuration = before.configuration
    configuration.rangeSets = try RangeSet.validated([[written]], version: "1.1.0")
    let after = HostLocalBackend(configuration, surroundings: directory.surroundings())
    #expect(try await after.add(.container("c1")) == "10.0.0.3")
  }

  @Test("when nothing else is left, a former address goes to whoever asks")
  func yieldsFormer() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/29", options: Self.reclaiming)
    for number in 1...5 { _ = try await backend.add(.container("c\(number)")) }
    try directory.boot(Self.secondBoot)
    for number in 1...5 { _ = try await backend.add(.container("stranger\(number)")) }
    #expect(try directory.reservations().count == 5)
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
  }

  @Test("what was never recorded is kept")
  func keepsUnrecorded() async throws {
    let directory = try TemporaryDirectory()
    _ = try await directory.backend("10.0.0.0/24").add(.container("unrecorded"))
    try directory.boot(Self.secondBoot)
    _ = try await directory.backend("10.0.0.0/24", options: Self.reclaiming).add(.container("new"))
    #expect(try directory.reservations() == ["10.0.0.2", "10.0.0.3"])
  }

  @Test("what the original made is recorded when it is seen, and taken back a boot later")
  func recordsForeign() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    _ = try await backend.add(.container("c1"))
    try directory.write("data/net/10.0.0.77", "foreign\r\neth0")
    _ = try await backend.add(.container("c2"))
    try directory.boot(Self.secondBoot)
    let address = try await backend.add(.container("new"))
    #expect(try directory.reservations() == [address])
  }

  @Test("a reservation that was made anew since it was recorded is kept, the same inode or not")
  func keepsRenewed() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    let address = try await backend.add(.container("c1"))
    try directory.boot(Self.secondBoot)
    // The original, in the new boot, before our first call.
    directory.remove("data/net/" + address)
    try directory.write("data/net/" + address, "alive\r\neth0")
    _ = try await backend.add(.container("new"))
    #expect(directory.read("data/net/" + address) == "alive\r\neth0")
  }

  @Test("a data directory from another machine proves nothing")
  func keepsCloned() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    _ = try await backend.add(.container("c1"))
    try directory.machine("ffffffffffffffffffffffffffffffff")
    try directory.boot(Self.secondBoot)
    _ = try await backend.add(.container("c2"))
    #expect(try directory.reservations().count == 2)
  }

  @Test(
    "without a machine or boot identity nothing is recorded and nothing taken back", arguments: ["machine", "boot"])
  func keepsWithoutIdentity(missing: String) async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    _ = try await backend.add(.container("c1"))
    if missing == "machine" { try directory.machine("uninitialized") } else { try directory.boot("unreadable") }
    _ = try await backend.add(.container("c2"))
    #expect(try directory.reservations().count == 2)
  }

  @Test("a DEL after the reboot ends the claim to the former address")
  func forgetsDeleted() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/30", options: Self.reclaiming)
    _ = try await backend.add(.container("c1"))
    try directory.boot(Self.secondBoot)
    try await backend.release(.container("c1"))
    #expect(try directory.reservations().isEmpty)
    #expect(try await backend.add(.container("c2")) == "10.0.0.2")
  }

  @Test("a call killed after removing some, before it could note that it is done, is made good by the next")
  func resumesKilled() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming)
    for number in 1...4 { _ = try await backend.add(.container("c\(number)")) }
    let ledger = "data/.swift-ipam/net/ledger"
    let evidence = try File.contents(of: directory.path + "/" + ledger)
    try directory.boot(Self.secondBoot)
    _ = try await backend.add(.container("c1"))
    // As if the process had died right before it replaced the evidence: c1 is back, the evidence is still there.
    try directory.write(ledger, evidence)
    #expect(try await backend.add(.container("c3")) == "10.0.0.4")
    #expect(try directory.reservations() == ["10.0.0.2", "10.0.0.4"])
  }

  @Test("two reboots in a row lose no address and leak none")
  func survivesTwoReboots() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/29", options: Self.reclaiming)
    for boot in [Self.secondBoot, Self.thirdBoot] {
      for number in 1...5 { _ = try await backend.add(.container("c\(number)-\(boot)")) }
      try directory.boot(boot)
    }
    _ = try await backend.add(.container("last"))
    #expect(try directory.reservations().count == 1)
  }

  @Test("a ledger that cannot be written is reported, and the container gets its address")
  func worksWithoutLedger() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/.swift-ipam", "a file where the directory should be")
    let log = Log()
    let backend = try directory.backend("10.0.0.0/24", options: Self.reclaiming, log: log)
    #expect(try await backend.add(.container("c1")) == "10.0.0.2")
    #expect(log.lines.contains { $0.contains("not recorded for a reboot") })
  }
}
