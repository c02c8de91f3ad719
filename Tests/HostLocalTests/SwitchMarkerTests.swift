import FileSystem
import Glibc
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

@Suite("The marker of the other strategy")
struct SwitchMarkerTests {
  private let place: TemporaryDirectory
  private let marker: StrategyMarker

  init() throws {
    place = try TemporaryDirectory()
    marker = StrategyMarker(network: "net", dataDirectory: place.path + "/data")
  }

  private func network(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  @Test("says nothing where there is none")
  func absent() throws {
    #expect(!marker.exists)
    #expect(try marker.networks().isEmpty)
    let isHeld = try marker.hold() != nil
    #expect(!isHeld)
  }

  @Test("keeps what was added, in order")
  func added() throws {
    try marker.add(network("10.1.0.0/24"))
    try marker.add(network("fd00::/64"))
    #expect(marker.exists)
    #expect(try marker.networks() == [network("10.1.0.0/24"), network("fd00::/64")])
  }

  @Test("loses no line to one that a full disk cut off")
  func cutOff() throws {
    try place.write("data/.swift-ipam/net.calico-ipam", "10.1.0.0/2")
    try marker.add(network("10.2.0.0/24"))
    #expect(try marker.networks().contains(network("10.2.0.0/24")))
  }

  @Test("is not removed while it is held, and can be afterwards")
  func held() throws {
    try marker.add(network("10.1.0.0/24"))
    let other = try File.open(marker.path, O_RDWR)
    let expected = try network("10.1.0.0/24")
    try whileHeld { networks in
      #expect(networks == [expected])
      #expect(flock(other.number, LOCK_EX | LOCK_NB) != 0)
    }
    #expect(flock(other.number, LOCK_EX | LOCK_NB) == 0)
  }

  /// Calls `body` with what the marker says to one who holds it.
  private func whileHeld(_ body: ([CIDR]) throws -> Void) throws {
    guard let hold = try marker.hold() else {
      Issue.record("there is no marker")
      return
    }
    try body(hold.networks)
    extendLifetime(hold)
  }

  @Test("is removed when it is not used, and not otherwise")
  func removal() async throws {
    try marker.add(network("10.1.0.0/24"))
    #expect(try await !marker.remove { false })
    #expect(marker.exists)
    #expect(try await marker.remove { true })
    #expect(!marker.exists)
    #expect(try await marker.remove { true })
  }

  @Test("is empty to those who had it open when it was removed")
  func openWhileRemoved() async throws {
    try marker.add(network("10.1.0.0/24"))
    let open = try File.open(marker.path, O_RDONLY)
    _ = try await marker.remove { true }
    #expect(try File.contents(of: open).isEmpty)
  }

  @Test(
    "keeps ADD from ranges that overlap it, and from no others",
    arguments: [
      ("10.1.0.0/24", false), ("10.1.0.128/25", false), ("10.0.0.0/8", false), ("10.2.0.0/24", true),
      ("fd00::/64", true),
    ])
  func refusal(_ subnet: String, _ isAllowed: Bool) async throws {
    try marker.add(network("10.1.0.0/24"))
    let backend = try place.backend(subnet)
    if isAllowed {
      _ = try await backend.add(.container("c1"))
      return
    }
    let error = await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
    #expect(error?.details.contains("ipamctl host-local adopt --network net --data-dir \(place.path)/data") ?? false)
    #expect(try place.reservations().isEmpty)
  }

  @Test("makes DEL release elsewhere, and its absence does not", arguments: [true, false])
  func release(_ isMarked: Bool) async throws {
    if isMarked { try marker.add(network("10.9.0.0/24")) }
    let log = Log()
    var surroundings = place.surroundings()
    // Whoever is called needs the lock of the reservations himself.
    let path = place.path + "/data/net/lock"
    surroundings.releaseElsewhere = { log.append(Self.isFree(path) ? "free" : "locked") }
    let configured = try place.backend("10.1.0.0/24")
    let backend = HostLocalBackend(configured.configuration, surroundings: surroundings)
    try await backend.release(.container("c1"))
    #expect(log.lines == (isMarked ? ["free"] : []))
  }

  @Test(
    "makes CHECK look elsewhere, with the lock given back", arguments: [(true, true), (true, false), (false, true)])
  func check(_ isMarked: Bool, _ isFound: Bool) async throws {
    if isMarked { try marker.add(network("10.9.0.0/24")) }
    var surroundings = place.surroundings()
    let path = place.path + "/data/net/lock"
    surroundings.findElsewhere = { isFound && Self.isFree(path) }
    let configured = try place.backend("10.1.0.0/24")
    let backend = HostLocalBackend(configured.configuration, surroundings: surroundings)
    if isMarked, isFound {
      try await backend.check(.container("c1"), expecting: nil)
    } else {
      await #expect(throws: HostLocalError.self) { try await backend.check(.container("c1"), expecting: nil) }
    }
  }

  private static func isFree(_ lock: String) -> Bool {
    guard let file = try? File.open(lock, O_RDONLY) else { return false }
    return flock(file.number, LOCK_EX | LOCK_NB) == 0
  }

  @Test("counts reservations in a network, with and without an index", arguments: [3, 40])
  func counting(_ number: Int) throws {
    for last in 1...number { try place.write("data/net/10.1.0.\(last)", "c\(last)\r\neth0") }
    try place.write("data/net/10.2.0.1", "far\r\neth0")
    let store = try place.store()
    #expect(store.reserved(in: try network("10.1.0.0/24"))?.count == number)
    #expect(store.reserved(in: try network("10.2.0.0/24"))?.example == IPAddress("10.2.0.1"))
    #expect(store.reserved(in: try network("10.3.0.0/24")) == nil)
    #expect(store.reserved(in: try network("fd00::/64")) == nil)
  }
}
