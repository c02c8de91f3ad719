import CalicoPlugin
import Datastore
import Foundation
import Synchronization
import Testing

/// Front-end specification, section 1.6: who asks for an address has old entries of the node upgraded first, once in
/// each boot.
@Suite("Upgrading old entries of a node before an address is asked for")
struct HostUpgradeTests {
  /// The nodes that were upgraded.
  private final class Upgrades: Sendable {
    let nodes = Mutex<[String]>([])
  }

  private let upgrades = Upgrades()
  private let world: ClusterWorld

  init() async throws {
    world = try ClusterWorld()
    try await world.createNode("n1")
    try await world.createPool("p", "10.65.0.0/16", blockSize: 26)
    let upgrades = upgrades
    world.connection.upgradeHost = { node, _ in upgrades.nodes.withLock { $0.append(node) } }
  }

  private var marker: String { world.directory + world.upgradeMarker }
  private var nodes: [String] { upgrades.nodes.withLock { $0 } }

  @Test("The first address that is asked for has them upgraded, and the marker spares the next one that")
  func once() async throws {
    world.arguments = "IP=10.65.3.7"
    #expect(try await world.add("first") == ["10.65.3.7/32"])
    #expect(nodes == ["n1"])
    #expect(FileManager.default.fileExists(atPath: marker))
    world.arguments = "IP=10.65.3.8"
    try await world.add("second")
    #expect(nodes == ["n1"])
    // A boot empties /var/run.
    try FileManager.default.removeItem(atPath: marker)
    world.arguments = "IP=10.65.3.9"
    try await world.add("third")
    #expect(nodes == ["n1", "n1"])
  }

  @Test("An address that is chosen needs no upgrade, nor does a release")
  func chosen() async throws {
    try await world.add("first")
    #expect(try await world.call("DEL", "first").status == 0)
    #expect(nodes.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: marker))
  }

  @Test("An upgrade that fails assigns nothing and is tried again")
  func failure() async throws {
    world.connection.upgradeHost = { _, _ in throw DatastoreError(.unavailable, "the server is away") }
    world.arguments = "IP=10.65.3.7"
    let answer = try await world.call("ADD", "first")
    #expect(answer.status == 1)
    #expect(
      try answer.message.hasPrefix("failed to upgrade IPAM database: failed to upgrade IPAM database: "),
      "\(answer.text)")
    #expect(try answer.message.contains("the server is away"))
    #expect(world.entries("/ipam/v2/").isEmpty)
    #expect(!FileManager.default.fileExists(atPath: marker))
    let upgrades = upgrades
    world.connection.upgradeHost = { node, _ in upgrades.nodes.withLock { $0.append(node) } }
    try await world.add("first")
    #expect(nodes == ["n1"])
  }

  @Test("Without a place for the marker nothing is assigned, and the marker's path is told")
  func noMarker() async throws {
    try Data().write(to: URL(filePath: world.directory + "/file"))
    world.upgradeMarker = "/file/ipam_upgraded"
    world.arguments = "IP=10.65.3.7"
    let answer = try await world.call("ADD", "first")
    #expect(answer.status == 1)
    #expect(try answer.message.contains("failed to create IPAM upgrade marker file \(marker)"), "\(answer.text)")
    #expect(world.entries("/ipam/v2/").isEmpty)
  }
}
