import FileSystem
import Glibc
import Testing

@testable import HostLocal

@Suite("The lock of a network", .serialized)
struct DirectoryLockTests {
  @Test("whoever waits too long says who holds it, and goes on waiting")
  func namesHolder() throws {
    let directory = try TemporaryDirectory()
    try directory.write("lock", "")
    let holder = open(directory.path + "/lock", O_RDONLY)
    #expect(flock(holder, LOCK_EX) == 0)
    let descriptor = try File.open(directory.path, O_RDONLY | O_DIRECTORY)
    let log = Log()
    // The wait ends because the message gives the lock back: no time is measured.
    _ = try DirectoryLock.acquire(in: descriptor, path: directory.path, patience: 1) { line in
      log.append(line)
      close(holder)
    }
    let line = try #require(log.lines.first)
    #expect(line.contains("\(directory.path)/lock"))
    #expect(line.contains("process \(getpid())"))
  }

  @Test("a lock file that is a directory is reported with the bare reason")
  func refusesDirectory() throws {
    let directory = try TemporaryDirectory()
    mkdir(directory.path + "/lock", 0o755)
    let descriptor = try File.open(directory.path, O_RDONLY | O_DIRECTORY)
    #expect {
      _ = try DirectoryLock.acquire(in: descriptor, path: directory.path, patience: 1) { _ in }
    } throws: { ($0 as? HostLocalError)?.message == "is a directory" }
  }
}
