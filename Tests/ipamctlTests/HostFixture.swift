import Foundation
import Testing

@testable import ipamctl

/// A host of one's own in a temporary directory: reservations, processes, runtime state and result cache are plain files.
///
/// It starts with one process, in one network namespace that has the addresses 127.0.0.1 and 192.0.2.2.
final class HostFixture {
  let root: String
  var roots: HostRoots { HostRoots(prefix: root) }
  var dataDirectory: String { root + "/data" }

  init() throws {
    let place = FileManager.default.temporaryDirectory.appending(path: "ipamctl-tests.\(UUID().uuidString)")
    root = place.path(percentEncoded: false)
    try addProcess("1", addresses: ["127.0.0.1", "192.0.2.2"])
    try FileManager.default.createDirectory(atPath: dataDirectory, withIntermediateDirectories: true)
  }

  deinit {
    // What a test leaves behind is in the system's temporary directory, and nobody's loss.
    try? FileManager.default.removeItem(atPath: root)
  }

  /// Writes a file of the host, with the directories above it.
  func write(_ content: String, to path: String) throws {
    let place = URL(filePath: root + path)
    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content.utf8).write(to: place)
  }

  func makeDirectory(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: root + path, withIntermediateDirectories: true)
  }

  /// Puts another file in the place of one, before that is gone, so that the two cannot have the same inode.
  func replace(_ path: String, with content: String) throws {
    try write(content, to: path + ".new")
    try #require(rename(root + path + ".new", root + path) == 0)
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: root + path) }

  /// A process in a network namespace of its own that has these addresses.
  func addProcess(_ number: String, addresses: [String], v6: [String] = []) throws {
    let leaves = addresses.map { "           |-- \($0)\n              /32 host LOCAL\n" }.joined()
    try write("Local:\n  +-- 0.0.0.0/0 2 0 2\n" + leaves, to: "/proc/\(number)/net/fib_trie")
    try write(v6.map { "\($0) 02 40 00 80     eth0\n" }.joined(), to: "/proc/\(number)/net/if_inet6")
    try write("", to: "/proc/\(number)/net/dev")
    try write("", to: "/proc/\(number)/ns/net")
    try write("pause\n", to: "/proc/\(number)/comm")
    try write("", to: "/proc/\(number)/mountinfo")
  }

  /// A reservation as host-local writes it.
  func reserve(_ address: String, _ container: String, _ interface: String = "eth0", network: String = "pods") throws {
    try reserve(address, content: "\(container)\r\n\(interface)", network: network)
  }

  func reserve(_ address: String, content: String, network: String = "pods") throws {
    try write(content, to: "/data/\(network)/\(address)")
  }

  /// A note of libcni on an attachment.
  func cache(_ container: String, namespace: String, network: String = "pods") throws {
    let note = """
      {"kind":"cniCacheV1","containerId":"\(container)","config":"e30=","ifName":"eth0","networkName":"\(network)",\
      "netns":"\(namespace)","result":{"cniVersion":"1.0.0"}}
      """
    try write(note, to: "/var/lib/cni/results/\(network)-\(container)-eth0")
  }

  /// A runtime that knows these containers.
  func addRuntime(_ containers: [String] = []) throws {
    try makeDirectory("/run/runc")
    for container in containers { try makeDirectory("/run/runc/\(container)") }
  }

  /// The names in a network's directory.
  func names(_ network: String = "pods") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(dataDirectory)/\(network)").sorted()
  }

  /// The arguments that make a command look at this host, before others.
  func arguments(_ more: String...) -> [String] { ["--data-dir", dataDirectory, "--root", root] + more }
}
