import FileSystem
import Glibc
import IPAM
import Testing

@testable import HostLocal

@Suite("STATUS")
struct StatusTests {
  private static func failure(_ backend: HostLocalBackend) async -> HostLocalError? {
    do {
      try await backend.status()
      return nil
    } catch {
      return error as? HostLocalError
    }
  }

  @Test("is content with a network that has no directory yet, and makes none")
  func acceptsMissing() async throws {
    let directory = try TemporaryDirectory()
    #expect(await Self.failure(try directory.backend("10.0.0.0/24")) == nil)
    #expect(throws: SystemError(number: ENOENT)) { try directory.list("data") }
  }

  @Test("does not wait for the lock")
  func takesNoLock() async throws {
    let directory = try TemporaryDirectory()
    let store = try directory.store()
    #expect(await Self.failure(try directory.backend("10.0.0.0/24")) == nil)
    #expect(!store.path.isEmpty)
  }

  @Test("fails when the data directory is a file, or the network's directory is")
  func refusesFiles() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data", "")
    #expect(await Self.failure(try directory.backend("10.0.0.0/24"))?.category == .unavailable)
    directory.remove("data")
    try directory.write("data/net", "")
    #expect(await Self.failure(try directory.backend("10.0.0.0/24"))?.category == .unavailable)
  }

  @Test("fails when the lock is a directory")
  func refusesLockDirectory() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("data/net/lock/file", "")
    #expect(await Self.failure(try directory.backend("10.0.0.0/24"))?.category == .unavailable)
  }

  @Test("reports a full range set only when the configuration asks for it, and then which")
  func reportsExhaustion() async throws {
    let directory = try TemporaryDirectory()
    let plain = try directory.backend("10.0.0.0/30", "10.0.1.0/24")
    #expect(try await plain.add(.container("c1")) == "10.0.0.2 10.0.1.2")
    #expect(await Self.failure(plain) == nil)
    var options = HostLocalOptions()
    options.reportsExhaustion = true
    let failure = await Self.failure(try directory.backend("10.0.0.0/30", "10.0.1.0/24", options: options))
    #expect(failure?.category == .unavailable)
    #expect(failure?.message.contains("10.0.0.1-10.0.0.2") == true)
    #expect(failure?.details.contains("1 of 1") == true)
    #expect(await Self.failure(try directory.backend("10.0.1.0/24", options: options)) == nil)
  }
}
