import IPAM
import Testing

@testable import HostLocal

@Suite("GC")
struct CollectionTests {
  @Test("releases what is not valid, says so, and touches nothing else")
  func collects() async throws {
    let directory = try TemporaryDirectory()
    let log = Log()
    let backend = try directory.backend("10.0.0.0/24", log: log)
    for id in ["keep", "drop"] { _ = try await backend.add(.container(id)) }
    _ = try await backend.add(.container("keep", "eth1"))
    try directory.write("data/net/README", "drop\r\neth0")
    try directory.write("data/net/10.0.0.200", "not a container id!")
    try await backend.collect(keeping: [.container("keep")])
    #expect(try directory.list("data/net") == ["10.0.0.2", "10.0.0.200", "README", "last_reserved_ip.0", "lock"])
    #expect(log.lines.count == 2)
    #expect(log.lines.allSatisfy { $0.contains("GC released") })
  }

  @Test("keeps an old-format reservation as long as any attachment has its container ID")
  func judgesOldFormat() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.0.0.2", "alive")
    try directory.write("data/net/10.0.0.3", "gone")
    try await directory.backend("10.0.0.0/24").collect(keeping: [.container("alive", "net7")])
    #expect(try directory.reservations() == ["10.0.0.2"])
  }

  @Test("takes an empty list for what it says: nothing is left")
  func collectsAll() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24")
    for number in 1...30 { _ = try await backend.add(.container("c\(number)")) }
    try await backend.collect(keeping: [])
    #expect(try directory.reservations().isEmpty)
    #expect(try await backend.add(.container("c1")) == "10.0.0.32")
  }

  @Test("makes nothing for a network that has nothing")
  func createsNothing() async throws {
    let directory = try TemporaryDirectory()
    try await directory.backend("10.0.0.0/24").collect(keeping: [])
    #expect(directory.read("data/net/lock") == nil)
  }

  @Test("does nothing when it is turned off")
  func isTurnedOff() async throws {
    let directory = try TemporaryDirectory()
    var options = HostLocalOptions()
    options.collects = false
    let backend = try directory.backend("10.0.0.0/24", options: options)
    _ = try await backend.add(.container("c1"))
    try await backend.collect(keeping: [])
    #expect(try directory.reservations() == ["10.0.0.2"])
  }
}
