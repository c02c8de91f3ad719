import Glibc
import IPAM
import IPAddressing
import TestSupport
import Testing

@testable import HostLocal

@Suite("ADD, DEL and CHECK on a store")
struct AssignmentTests {
  private static var idempotent: HostLocalOptions {
    var options = HostLocalOptions()
    options.isAddIdempotent = true
    return options
  }

  @Test("a repeated ADD fails, and says what is recorded where")
  func refusesDuplicate() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24")
    _ = try await backend.add(.container("c1"))
    await #expect {
      _ = try await backend.add(.container("c1"))
    } throws: { error in
      guard let error = error as? HostLocalError else { return false }
      return error.code == .duplicate && error.message.hasSuffix("duplicate allocation is not allowed")
        && error.details.contains("data/net/10.0.0.2") && error.details.contains("1 of 253")
    }
  }

  @Test("with idempotentAdd a repeated ADD returns the same addresses")
  func repeatsAdd() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", "fd00::/64", options: Self.idempotent)
    let first = try await backend.assign(AssignmentRequest(.container("c1")))
    let second = try await backend.assign(AssignmentRequest(.container("c1")))
    #expect(first == second)
    #expect(try await backend.add(.container("c1", "eth1")) == "10.0.0.3 fd00::3")
    #expect(try directory.reservations().count == 4)
  }

  @Test("with idempotentAdd a file that keeps an address from nobody does not count")
  func ignoresOddEntries() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/sub/10.0.0.9", "c1\r\neth0")
    let backend = try directory.backend("10.0.0.0/24", options: Self.idempotent)
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
  }

  @Test("with idempotentAdd an ADD that was cut short is completed")
  func completesAdd() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.0.0.9", "c1\r\neth0")
    let backend = try directory.backend("10.0.0.0/24", "fd00::/64", options: Self.idempotent)
    #expect(try await backend.add(.container("c1")) == "10.0.0.9 fd00::2")
  }

  @Test("with idempotentAdd a repeated failure takes back only what it took itself")
  func keepsHeldOnFailure() async throws {
    let directory = try TemporaryDirectory()
    let working = try directory.backend("10.0.0.0/24", options: Self.idempotent)
    _ = try await working.add(.container("c1"))
    try directory.write("data/net/10.1.0.2", "other\r\neth0")
    let failing = try directory.backend("10.0.0.0/24", "10.1.0.0/30", options: Self.idempotent)
    await #expect(throws: HostLocalError.self) { try await failing.add(.container("c1")) }
    #expect(try directory.reservations() == ["10.0.0.2", "10.1.0.2"])
  }

  @Test("an ADD that cannot serve every set leaves nothing behind")
  func rollsBack() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.1.0.2", "other\r\neth0")
    let backend = try directory.backend("10.0.0.0/24", "10.1.0.0/30")
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
    #expect(try directory.reservations() == ["10.1.0.2"])
  }

  @Test("an ADD that cannot write its cursor leaves nothing behind")
  func rollsBackCursor() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/last_reserved_ip.0/file", "")
    let backend = try directory.backend("10.0.0.0/24")
    await #expect(throws: HostLocalError.self) { try await backend.add(.container("c1")) }
    #expect(try directory.reservations().isEmpty)
  }

  @Test("addresses asked for by the call and by the configuration are all served, or none")
  func servesRequests() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24", "10.1.0.0/24", requesting: ["10.0.0.77"])
    let request = AssignmentRequest(.container("c1"), addresses: [try #require(IPAddress("10.1.0.88"))])
    let assignment = try await backend.assign(request)
    #expect(assignment.addresses.map(\.address.description) == ["10.0.0.77/24", "10.1.0.88/24"])
    let impossible = AssignmentRequest(.container("c2"), addresses: [try #require(IPAddress("192.0.2.1"))])
    await #expect(throws: HostLocalError.self) { try await backend.assign(impossible) }
    #expect(try directory.reservations() == ["10.0.0.77", "10.1.0.88"])
  }

  @Test("addresses come round behind the cursor, in a directory with an index as in one without")
  func comesRound() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/27")
    for number in 2...30 { #expect(try await backend.add(.container("c\(number)")) == "10.0.0.\(number)") }
    for number in [7, 3, 29] { try await backend.release(.container("c\(number)")) }
    for (id, address) in [("x", "10.0.0.3"), ("y", "10.0.0.7"), ("z", "10.0.0.29")] {
      #expect(try await backend.add(.container(id)) == address)
    }
    await #expect {
      _ = try await backend.add(.container("more"))
    } throws: { ($0 as? HostLocalError)?.details.contains("29 of 29") == true }
  }

  @Test("CHECK finds what DEL removes")
  func checks() async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/24")
    _ = try await backend.add(.container("c1"))
    try await backend.check(.container("c1"), expecting: nil)
    await #expect(throws: HostLocalError.self) { try await backend.check(.container("c1", "eth1"), expecting: nil) }
    try await backend.release(.container("c1"))
    await #expect(throws: HostLocalError.self) { try await backend.check(.container("c1"), expecting: nil) }
    try await backend.release(.container("c1"))
  }

  @Test("a random history gives what the specification's words give", arguments: [11, 12, 13] as [UInt64])
  func agreesWithModel(seed: UInt64) async throws {
    let directory = try TemporaryDirectory()
    let backend = try directory.backend("10.0.0.0/26")
    var generator = SeededGenerator(seed: seed)
    var held: [String: Int] = [:]
    var cursor = 1
    for _ in 0..<250 {
      let id = "c\(Int.random(in: 0..<80, using: &generator))"
      if held[id] == nil {
        let order = Array((cursor + 1)...63) + Array(1...cursor)
        let expected = order.first { $0 > 1 && $0 < 63 && !held.values.contains($0) }
        let actual = try? await backend.add(.container(id))
        #expect(actual == expected.map { "10.0.0.\($0)" }, "seed \(seed)")
        if let expected {
          held[id] = expected
          cursor = expected
        }
      } else {
        try await backend.release(.container(id))
        held[id] = nil
      }
      // Somebody else works in the directory now and then.
      if Int.random(in: 0..<10, using: &generator) == 0, let victim = held.keys.sorted().first {
        directory.remove("data/net/10.0.0.\(held[victim] ?? 0)")
        held[victim] = nil
      }
    }
    #expect(Set(try directory.reservations()) == Set(held.values.map { "10.0.0.\($0)" }), "seed \(seed)")
  }
}
