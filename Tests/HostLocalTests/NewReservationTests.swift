import FileSystem
import Glibc
import Testing

@testable import HostLocal

@Suite("A new reservation, with and without unnamed files")
struct NewReservationTests {
  enum Way: CaseIterable {
    case unnamed, spool

    func link(_ text: String, as name: String, in directory: TemporaryDirectory) throws -> Bool {
      let path = directory.path + "/data/net"
      try File.makeDirectories(path)
      let descriptor = try File.open(path, O_RDONLY | O_DIRECTORY)
      let content = Array(text.utf8)
      return switch self {
      case .unnamed: try NewReservation.link(content, as: name, in: descriptor, path: path)
      case .spool: try NewReservation.linkFromSpool(content, as: name, in: descriptor, path: path)
      }
    }
  }

  @Test("has its content and mode 0600, and leaves nothing else in the directory", arguments: Way.allCases)
  func appearsWhole(_ way: Way) throws {
    let directory = try TemporaryDirectory()
    #expect(try way.link("c1\r\neth0", as: "10.0.0.1", in: directory))
    #expect(directory.read("data/net/10.0.0.1") == "c1\r\neth0")
    var status = stat()
    #expect(stat(directory.path + "/data/net/10.0.0.1", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(status.st_nlink == 1)
    #expect(try directory.list("data/net") == ["10.0.0.1"])
  }

  @Test("does not replace what has the name, whatever it is", arguments: Way.allCases)
  func isExclusive(_ way: Way) throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/10.0.0.1", "other")
    symlink("/nowhere", directory.path + "/data/net/10.0.0.2")
    mkdir(directory.path + "/data/net/10.0.0.3", 0o755)
    for name in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
      #expect(!(try way.link("c1\r\neth0", as: name, in: directory)))
    }
    #expect(directory.read("data/net/10.0.0.1") == "other")
  }

  @Test("overwrites what a killed process left in the spool")
  func cleansSpool() throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/.swift-ipam/net.reservation", "half a reserv")
    #expect(try Way.spool.link("c1\r\neth0", as: "10.0.0.1", in: directory))
    #expect(directory.read("data/net/10.0.0.1") == "c1\r\neth0")
    #expect(try directory.list("data/.swift-ipam").isEmpty)
  }
}
