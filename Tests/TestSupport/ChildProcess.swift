import CLinux
import Glibc
import Synchronization

/// A command that a test starts, with its three streams in hand.
enum ChildProcess {
  /// Starts a command that ends at the latest when the returned end of its standard input is closed, provided that it
  /// heeds it.
  ///
  /// - Parameters:
  ///   - arguments: the program, looked up in the path, and its arguments.
  ///   - errors: the file that gets what the command writes to standard error.
  /// - Returns: the process, the end to write its input to, and the end to read its output from.
  /// - Throws: ``SetupFailure``.
  static func start(_ arguments: [String], errors: String) throws -> (process: pid_t, input: Int32, output: Int32) {
    try starting.withLock { _ in try startAlone(arguments, errors: errors) }
  }

  /// One at a time: a command started meanwhile by another test would get the pipes as well, and keep them open.
  private static let starting = Mutex(())

  private static func startAlone(
    _ arguments: [String], errors: String
  ) throws -> (process: pid_t, input: Int32, output: Int32) {
    let input = try pipeEnds()
    let output = try pipeEnds()
    defer {
      close(input.reading)
      close(output.writing)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.reading, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var process: pid_t = 0
    let failure = posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
    guard failure == 0 else {
      close(input.writing)
      close(output.reading)
      throw SetupFailure(arguments[0], failure)
    }
    return (process, input.writing, output.reading)
  }

  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - arguments: the program and its arguments.
  ///   - text: what the command gets on its standard input.
  /// - Returns: the exit status and what it wrote to standard output.
  /// - Throws: ``SetupFailure`` when it cannot be started.
  static func run(_ arguments: [String], input text: [UInt8] = []) throws -> (status: Int32, output: [UInt8]) {
    let (process, input, output) = try start(arguments, errors: "/dev/null")
    // A command that does not read its input to the end must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    var sent = 0
    while sent < text.count {
      let count = text[sent...].withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      if count <= 0 { break }
      sent += count
    }
    close(input)
    let bytes = readToEnd(output)
    close(output)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return (status, bytes)
  }

  /// Everything up to the end of a stream.
  static func readToEnd(_ stream: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(stream, &chunk, chunk.count)
      if count <= 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  /// The bytes up to the next line's end, which is read as well but not returned; nil at the end of the stream.
  static func readLine(_ stream: Int32) -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(stream, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }

  private static func pipeEnds() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SetupFailure("pipe", errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}
