import Glibc
import Synchronization

/// A program that serves a test, and that ends with it, whatever becomes of the test's own process.
public final class GuardedProcess: Sendable {
  /// The program's process.
  public let process: Int32
  private let guardian: Int32
  /// As long as this is open the program runs.
  private let leash: Mutex<Int32?>

  /// Starts the program, ends it when the leash does, and waits for it.
  private static let script = #"""
    log=$1; shift
    "$@" >"$log" 2>&1 </dev/null &
    echo $!
    cat >/dev/null
    kill -9 $!
    wait
    """#

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - command: the program and its arguments.
  ///   - log: the file that gets what it writes.
  /// - Throws: ``SetupFailure`` when it cannot be started.
  public init(_ command: [String], log: String) throws {
    var input: [Int32] = [0, 0]
    var output: [Int32] = [0, 0]
    // Another test's program must not get them as well: it would hold the leash.
    guard pipe(&input) == 0, pipe(&output) == 0 else { throw SetupFailure("pipe", errno) }
    for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input[0], 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    let arguments = ["/bin/sh", "-c", Self.script, "sh", log] + command
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var guardian: pid_t = 0
    let failure = posix_spawn(&guardian, arguments[0], &actions, nil, &words, environ)
    close(input[0])
    close(output[1])
    defer { close(output[0]) }
    guard failure == 0 else {
      close(input[1])
      throw SetupFailure(command[0], failure)
    }
    var text = [UInt8](repeating: 0, count: 32)
    let count = read(output[0], &text, text.count)
    let digits = text.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }
    guard let process = pid_t(String(decoding: digits, as: UTF8.self)) else {
      close(input[1])
      throw SetupFailure("start \(command[0])", 0)
    }
    self.process = process
    self.guardian = guardian
    leash = Mutex(input[1])
  }

  deinit {
    end()
  }

  /// Ends the program as a crash would, and waits until it is gone.
  public func end() {
    let held = leash.withLock { leash in
      defer { leash = nil }
      return leash
    }
    guard let held else { return }
    close(held)
    var status: Int32 = 0
    waitpid(guardian, &status, 0)
  }

  /// Sends the program a signal.
  public func signal(_ number: Int32) {
    kill(process, number)
  }
}
