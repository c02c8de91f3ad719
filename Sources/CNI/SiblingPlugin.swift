import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Another plugin's executable that lies beside this one, called with the environment of this call.
public struct SiblingPlugin: Sendable {
  /// The executable's file name.
  public let name: String
  private let path: String

  /// Looks for an executable beside the running one; nil when there is none, or it cannot be executed.
  ///
  /// - Parameter name: its file name.
  public init?(_ name: String) {
    guard let directory = Self.ownDirectory() else { return nil }
    self.init(name, in: directory)
  }

  /// Looks for an executable in a directory; nil when there is none, or it cannot be executed.
  ///
  /// - Parameters:
  ///   - name: its file name.
  ///   - directory: the directory.
  public init?(_ name: String, in directory: String) {
    let path = directory + "/" + name
    guard access(path, X_OK) == 0 else { return nil }
    self.name = name
    self.path = path
  }

  /// The directory of the running executable.
  private static func ownDirectory() -> String? {
    let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      count = base.withMemoryRebound(to: CChar.self, capacity: 4096) { max(0, readlink("/proc/self/exe", $0, 4096)) }
    }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(decoding: bytes[..<slash], as: UTF8.self)
  }

  /// Becomes the other plugin: same arguments, same environment, and the input again from its beginning.
  ///
  /// - Parameters:
  ///   - input: what was read from stdin.
  ///   - arguments: the command line behind the program's name.
  /// - Returns: only when that failed, with the error number.
  public func takeOver(input: [UInt8], arguments: [String] = []) -> Int32 {
    let file = clinux_memory_file(name)
    guard file >= 0 else { return errno }
    guard Self.writeAll(input, to: file), lseek(file, 0, SEEK_SET) == 0, dup2(file, STDIN_FILENO) >= 0 else {
      return errno
    }
    close(file)
    return withArguments(arguments) { arguments in
      execv(path, arguments)
      return errno
    }
  }

  /// Calls the other plugin and waits for its end. Its output goes nowhere, its diagnostics to this process's.
  ///
  /// - Parameter input: what it reads from stdin.
  /// - Returns: its exit status, or -1 when it could not be started or was killed.
  public func call(input: [UInt8]) -> Int32 {
    let file = clinux_memory_file(name)
    guard file >= 0 else { return -1 }
    defer { close(file) }
    guard Self.writeAll(input, to: file), lseek(file, 0, SEEK_SET) == 0 else { return -1 }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    var process: pid_t = 0
    let failure = withArguments([]) { posix_spawn(&process, path, &actions, nil, $0, environ) }
    guard failure == 0 else { return -1 }
    return Self.wait(for: process) ?? -1
  }

  /// What a program answered.
  public struct Output: Sendable {
    /// Its exit status, or -1 when it was killed.
    public var status: Int32
    /// What it wrote to stdout, and to stderr.
    public var text: [UInt8]
    public var diagnostics: [UInt8]
  }

  /// Calls the program, waits for its end, and takes what it writes.
  ///
  /// - Parameters:
  ///   - arguments: the command line behind the program's name.
  ///   - input: what it reads from stdin.
  /// - Returns: nil when it could not be started.
  public func ask(_ arguments: [String], input: [UInt8]) -> Output? {
    // Files in memory instead of pipes: nobody has to read while another writes.
    var files: [Int32] = []
    defer { for file in files { close(file) } }
    for _ in 0..<3 {
      let file = clinux_memory_file(name)
      guard file >= 0 else { return nil }
      files.append(file)
    }
    guard Self.writeAll(input, to: files[0]), lseek(files[0], 0, SEEK_SET) == 0 else { return nil }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, file) in files.enumerated() { posix_spawn_file_actions_adddup2(&actions, file, Int32(number)) }
    var process: pid_t = 0
    let failure = withArguments(arguments) { posix_spawn(&process, path, &actions, nil, $0, environ) }
    guard failure == 0, let status = Self.wait(for: process) else { return nil }
    return Output(status: status, text: Self.contents(of: files[1]), diagnostics: Self.contents(of: files[2]))
  }

  /// What a file has, up to a megabyte.
  private static func contents(of file: Int32) -> [UInt8] {
    let size = min(max(0, lseek(file, 0, SEEK_END)), 1 << 20)
    guard size > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = max(0, pread(file, buffer.baseAddress, size, 0))
    }
  }

  /// The exit status of a child, or -1 when it was killed; nil when there is no such child.
  private static func wait(for process: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    // The low seven bits are the signal that ended it, the next byte its exit status (wait(2)).
    return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
  }

  private func withArguments<Result>(
    _ arguments: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = ([path] + arguments).map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        return false
      }
      rest = rest.dropFirst(written)
    }
    return true
  }
}
