import CLinux
import Glibc

/// A network namespace that exists for the time of one test.
///
/// The calling thread is in it while the body runs, and so are the commands that it starts. Nothing else is: the test
/// must not give up its thread meanwhile, which a body without `await` cannot.
public enum NetworkNamespace {
  /// Whether one can be made: that takes the rights of root.
  public static var isPossible: Bool { geteuid() == 0 }

  /// Runs a test in a namespace of its own.
  public static func run<Result>(_ body: () throws -> Result) throws -> Result {
    let origin = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    guard origin >= 0, clinux_new_network_namespace() == 0 else {
      throw SetupFailure("cannot make a network namespace", errno)
    }
    defer {
      // A thread that stayed would take the next test along.
      precondition(clinux_enter_network_namespace(origin) == 0)
      close(origin)
    }
    return try body()
  }

  /// Runs commands, one a line, each of which must succeed.
  public static func execute(_ commands: String) throws {
    for line in commands.split(separator: "\n") {
      let (status, output) = try start(line.split(separator: " ").map(String.init))
      if status != 0 { throw SetupFailure("\(line): \(output)", status) }
    }
  }

  /// What a command writes; it must succeed.
  public static func output(_ command: String) throws -> String {
    let (status, output) = try start(command.split(separator: " ").map(String.init))
    if status != 0 { throw SetupFailure("\(command): \(output)", status) }
    return output
  }

  static func start(_ arguments: [String]) throws -> (status: Int32, output: String) {
    var pipes: [Int32] = [0, 0]
    guard pipe(&pipes) == 0 else { throw SetupFailure("pipe", errno) }
    // Another test's command that got them as well would keep the pipe from ending until it has ended itself.
    for pipe in pipes { _ = fcntl(pipe, F_SETFD, FD_CLOEXEC) }
    defer { close(pipes[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 2)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var process: pid_t = 0
    let failure = posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
    close(pipes[1])
    guard failure == 0 else { throw SetupFailure(arguments[0], failure) }
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(pipes[0], &chunk, chunk.count)
      if count <= 0 { break }
      output += chunk[..<count]
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return (status, String(decoding: output, as: UTF8.self))
  }
}

/// What a test needs could not be had.
public struct SetupFailure: Error, CustomStringConvertible {
  public let description: String

  public init(_ what: String, _ number: Int32) {
    description = "\(what) (\(number))"
  }
}
