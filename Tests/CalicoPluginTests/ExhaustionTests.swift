import Foundation
import Testing

/// That pools are full is believed for ten seconds in a cluster, and only by who found them so.
@Suite("For how long full pools are not searched again")
struct ExhaustionTests {
  private static let lifetime: UInt64 = 10_000_000_000
  private let world: ClusterWorld

  /// A pool of four addresses, all taken, which was searched in vain.
  init() async throws {
    world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/30", blockSize: 30)
    for index in 0..<4 { try await world.add("c\(index)") }
  }

  private func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The node's memory: its file, and the words of its lines.
  private func memory() throws -> (path: String, lines: [[String]]) {
    let root = world.directory + "/memory"
    let name = try #require(
      FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String }.first { $0.hasSuffix("/n1") })
    let text = try String(contentsOfFile: root + "/" + name, encoding: .utf8)
    return (root + "/" + name, text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) })
  }

  private func setEnd(_ end: UInt64) throws {
    let (path, lines) = try memory()
    let text = lines.map { line in
      (line[..<4] + [line[4] == "0" ? "0" : String(end)] + line[5...]).joined(separator: " ") + "\n"
    }
    try text.joined().write(toFile: path, atomically: false, encoding: .utf8)
  }

  /// Whether an ADD, which must fail, searches the blocks.
  private func searches(_ container: String) async throws -> Bool {
    _ = world.store.take()
    let answer = try await world.call("ADD", container)
    #expect(try answer.message.contains("No IPs available in pools: [10.65.0.0/30]"))
    return world.store.take().listings > 0
  }

  @Test("It is written down to be believed for ten seconds of the clock that does not stop in a suspended host")
  func end() async throws {
    let before = now()
    #expect(try await searches("more"))
    let after = now()
    let ends = try memory().lines.compactMap { UInt64($0[4]) }.filter { $0 != 0 }
    #expect(ends.count == 1)
    #expect(ends.allSatisfy { (before + Self.lifetime...after + Self.lifetime).contains($0) })
  }

  @Test("It is believed until that moment, and then the pools are searched again")
  func expiry() async throws {
    #expect(try await searches("more"))
    try setEnd(now() + Self.lifetime)
    #expect(try await !searches("more"))
    try setEnd(now() - 1)
    #expect(try await searches("more"))
    #expect(try await !searches("more"))
  }

  @Test("A moment that is further ahead than any that could have been written is from before a reboot")
  func reboot() async throws {
    #expect(try await searches("more"))
    try setEnd(now() + 1_000 * Self.lifetime)
    #expect(try await searches("more"))
  }

  @Test("An address that this node gave back is found at once")
  func freed() async throws {
    #expect(try await searches("more"))
    #expect(try await world.call("DEL", "c0").status == 0)
    #expect(try await world.add("more").count == 1)
  }
}
