import FileSystem
import Glibc
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

/// A directory that goes with the test, with what a store needs of its surroundings inside.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/host-local-test.XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    path = String(cString: made)
    try write("machine-id", "0123456789abcdef0123456789abcdef\n")
    try boot("11111111-1111-1111-1111-111111111111")
  }

  deinit { Self.remove(path) }

  /// Takes the running system for another boot of its machine.
  func boot(_ identity: String) throws { try write("boot_id", identity + "\n") }

  /// Takes the running system for another machine.
  func machine(_ identity: String) throws { try write("machine-id", identity + "\n") }

  /// Writes a file in place, making its directories.
  func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = path + "/" + name
    if let parent = LexicalPath.parent(of: file) { try File.makeDirectories(parent) }
    let descriptor = try File.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try File.writeAll(bytes, to: descriptor)
  }

  func read(_ name: String) -> String? {
    (try? File.contents(of: path + "/" + name)).map { String(decoding: $0, as: UTF8.self) }
  }

  func remove(_ name: String) { unlink(path + "/" + name) }

  /// The names in a directory, sorted.
  func list(_ name: String) throws -> [String] {
    let directory = try File.open(path + "/" + name, O_RDONLY | O_DIRECTORY)
    return try DirectoryListing.entries(in: directory).map { String(decoding: $0.name, as: UTF8.self) }.sorted()
  }

  /// The reservations of the network `net`, sorted.
  func reservations() throws -> [String] {
    try list("data/net").filter { StoreFile.address(named: Array($0.utf8)) != nil }
  }

  /// Surroundings that touch nothing outside this directory.
  func surroundings(_ log: Log = Log()) -> StoreSurroundings {
    var surroundings = StoreSurroundings(log: { log.append($0) })
    surroundings.indexPlace = path + "/run"
    surroundings.identity = BootIdentity.Source(machinePath: path + "/machine-id", bootPath: path + "/boot_id")
    return surroundings
  }

  /// The store of the network `net`.
  func store(_ log: Log = Log()) throws -> ReservationStore {
    let store = try ReservationStore.open(path + "/data/net", creating: true, surroundings: surroundings(log))
    guard let store else { throw HostLocalError(.notFound, "no store") }
    return store
  }

  /// A backend of the network `net` with ranges in text: a set of subnets joined with `,`.
  func backend(
    _ sets: String...,
    requesting requested: [String] = [],
    options: HostLocalOptions = HostLocalOptions(),
    log: Log = Log()
  ) throws -> HostLocalBackend {
    let written = sets.map { set in
      set.split(separator: ",").map { text in
        var range = WrittenRange()
        range.subnet = WrittenCIDR(String(text))
        return range
      }
    }
    let configuration = HostLocalConfiguration(
      name: "net",
      dataDirectory: path + "/data",
      rangeSets: try RangeSet.validated(written, version: "1.1.0"),
      requestedAddresses: requested.compactMap { IPAddress($0) },
      options: options
    )
    return HostLocalBackend(configuration, surroundings: surroundings(log))
  }

  private static func remove(_ path: String) {
    if let directory = try? File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) {
      for entry in (try? DirectoryListing.entries(in: directory)) ?? [] {
        remove(path + "/" + String(decoding: entry.name, as: UTF8.self))
      }
    }
    if rmdir(path) != 0 { unlink(path) }
  }
}

/// Not the attachment of a test's report, which has the same name.
typealias Attachment = IPAM.Attachment

extension Attachment {
  /// The interface eth0 of a container.
  static func container(_ id: String, _ interface: String = "eth0") -> Attachment {
    Attachment(containerID: id, interfaceName: InterfaceName(interface))
  }
}

extension IPAMBackend {
  /// The address that an ADD of the attachment yields, without its prefix length.
  func add(_ attachment: Attachment) async throws -> String {
    try await assign(AssignmentRequest(attachment)).addresses.map { "\($0.address.address)" }.joined(separator: " ")
  }
}
