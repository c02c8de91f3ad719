import CalicoModel
import Datastore
import Glibc
import Testing

@testable import SQLiteDatastore

@Suite("The gate of a SQLite store", .serialized)
struct WriteGateTests {
  let scratch: ScratchStore

  init() async throws {
    scratch = try ScratchStore()
    try await scratch.open().put((.configuration, "x"))
  }

  @Test("whoever waits in vain is told who has the gate, and reading goes on meanwhile")
  func held() async throws {
    let holder = try Child("exec flock -o \"$1\" sh -c 'echo held; cat'", WriteGate.path(of: scratch.path))
    #expect(holder.line() == "held")
    let store = scratch.open()
    let error = await failure {
      let plan = Plan([Change(.configuration, base: .any, final: .delete)])
      _ = try await store.commit(plan, deadline: .after(milliseconds: 50))
    }
    #expect(error?.code == .unavailable)
    #expect(error?.description.contains("process \(holder.process) (flock) has \(scratch.path).lock locked") == true)
    #expect(try await store.text(.configuration) == "x")
    holder.end()
    try await store.put((.configuration, "y"))
    #expect(try await store.text(.configuration) == "y")
  }

  @Test("the gate of a process that was killed is open")
  func killed() async throws {
    let holder = try Child("exec flock -o \"$1\" sh -c 'echo held; cat'", WriteGate.path(of: scratch.path))
    #expect(holder.line() == "held")
    let store = scratch.open()
    let waiting = Task { try await store.put((.configuration, "y")) }
    kill(holder.process, SIGKILL)
    #expect(try await waiting.value == .applied([.configuration: Revision(2)]))
    holder.end()
  }

  @Test("one who writes past the gate is waited for, and never called a locked database")
  func pastGate() async throws {
    let rude = scratch.open()
    try rude.run("BEGIN IMMEDIATE")
    let error = await failure {
      _ = try await scratch.open().commit(
        Plan([Change(.configuration, base: .any, final: .delete)]), deadline: .after(milliseconds: 50))
    }
    #expect(error?.code == .unavailable)
    #expect(error?.description.contains("another program keeps it") == true)
    #expect(error?.description.contains("is locked") == false)
    try rude.run("ROLLBACK")
    try await scratch.open().put((.configuration, "y"))
  }
}

/// A shell script in a process of its own.
final class Child {
  let process: pid_t
  private let input: Int32
  private let output: Int32

  init(_ script: String, _ argument: String) throws {
    var toChild: [Int32] = [0, 0]
    var fromChild: [Int32] = [0, 0]
    try #require(pipe(&toChild) == 0 && pipe(&fromChild) == 0)
    // Another child must not keep them open.
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    var process: pid_t = 0
    let words = ["sh", "-c", script, "sh", argument]
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    let result = posix_spawn(&process, "/bin/sh", &actions, nil, arguments, environ)
    for argument in arguments { free(argument) }
    posix_spawn_file_actions_destroy(&actions)
    close(toChild[0])
    close(fromChild[1])
    try #require(result == 0)
    self.process = process
    input = toChild[1]
    output = fromChild[0]
  }

  /// The next output, without its end of line.
  func line() -> String {
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = max(0, read(output, &bytes, 100))
    return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// Ends its input, and waits until it has gone.
  func end() {
    close(input)
    close(output)
    waitpid(process, nil, 0)
  }
}
