import Glibc
import Synchronization

/// A Kubernetes API server on a free port of loopback, with a store of its own, which ends with the test program at the
/// latest.
///
/// Starting one takes about half a second; suites that do not disturb each other may use ``shared``.
public final class KubernetesServer: Sendable {
  /// Whether the program is at hand. Tests that need it say `.enabled(if: KubernetesServer.isAtHand,
  /// KubernetesServer.absence)`.
  public static var isAtHand: Bool { KubernetesServerProgram.path != nil }
  /// What to say of a test that is skipped because it is not.
  public static let absence = KubernetesServerProgram.absence
  /// The folder with the definitions of the `crd.projectcalico.org/v1` kinds.
  public static let definitions = KubernetesServerProgram.sharedFolder + "/crds"

  private static let running = Result { try KubernetesServer(definitions: definitions) }

  /// One server for all tests of a program, with Calico's definitions.
  public static var shared: KubernetesServer {
    get throws { try running.get() }
  }

  /// Such as `https://127.0.0.1:41905`.
  public let url: String
  public let port: Int
  /// The folder of this server's files, removed when it is stopped.
  public let folder: String
  /// The path of a kubeconfig with the contexts `admin` (client certificate, the current one) and `token`.
  public let kubeconfig: String
  /// The folder with `ca.crt`, `ca.key`, `admin.crt`, `admin.key`, `serving.crt`, `serving.key` and `token`.
  public let certificates: String
  /// The bearer token of the administrator.
  public let token: String

  private let process: pid_t
  private let standardInput: Mutex<Int32>

  /// Starts a server, and waits until it serves.
  ///
  /// - Parameters:
  ///   - arguments: further ones for the program, such as `--authorization-mode=RBAC`.
  ///   - definitions: a folder with definitions of kinds to be loaded; nil for none.
  /// - Throws: ``SetupFailure`` with what the program said.
  public init(arguments: [String] = [], definitions: String? = nil) throws {
    guard let program = KubernetesServerProgram.path else { throw SetupFailure(Self.absence, ENOENT) }
    let folder = try Self.makeFolder()
    let errors = folder + "/errors"
    self.folder = folder
    kubeconfig = folder + "/kubeconfig"
    certificates = folder + "/certs"
    var command = [program, "--exit-on-stdin-eof", "--kubeconfig-out", folder + "/kubeconfig"]
    command += ["--cert-dir", folder + "/certs"] + arguments
    let child = try ChildProcess.start(command, errors: errors)
    process = child.process
    standardInput = Mutex(child.input)
    defer { close(child.output) }
    // kube-testserver ready: https://127.0.0.1:41905 etcd=… certs=… after=402ms
    guard let line = ChildProcess.readLine(child.output),
      let address = line.split(separator: " ").first(where: { $0.hasPrefix("https://") }),
      let port = address.split(separator: ":").last.flatMap({ Int($0) })
    else {
      kill(child.process, SIGTERM)
      close(child.input)
      waitpid(child.process, nil, 0)
      let said = try ChildProcess.run(["tail", "-n", "5", errors]).output
      throw SetupFailure("kube-testserver does not serve: \(String(decoding: said, as: UTF8.self))", 0)
    }
    url = String(address)
    self.port = port
    let token = try ChildProcess.run(["cat", folder + "/certs/token"]).output
    self.token = String(String(decoding: token, as: UTF8.self).filter { !$0.isWhitespace })
    if let definitions { try load(definitions: definitions) }
  }

  deinit { stop() }

  /// Ends the server, waits until it has ended, and removes its files.
  public func stop() {
    let input = standardInput.withLock { input in
      defer { input = -1 }
      return input
    }
    guard input >= 0 else { return }
    close(input)
    kill(process, SIGTERM)
    waitpid(process, nil, 0)
    _ = try? ChildProcess.run(["rm", "-rf", folder])
  }

  /// Stops the server's process for a time, as a host that hangs does: connections stay, answers do not come.
  public func suspend() { kill(process, SIGSTOP) }

  /// Goes on after ``suspend()``.
  public func resume() { kill(process, SIGCONT) }

  /// Loads the definitions of kinds from a folder's YAML files, one to a file, and waits until their objects are served.
  ///
  /// - Parameter folder: the folder.
  /// - Throws: ``SetupFailure``.
  public func load(definitions folder: String) throws {
    let listing = try ChildProcess.run([
      "find", folder, "-maxdepth", "1", "-name", "*.yaml", "!", "-name", "kustomization.yaml",
    ]).output
    let files = String(decoding: listing, as: UTF8.self).split(separator: "\n").map(String.init)
    var collections: [String] = []
    for file in files {
      let text = try ChildProcess.run(["cat", file]).output
      let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
      let answer = try request("POST", path, body: text, contentType: "application/yaml")
      guard answer.status == 201 || answer.status == 409 else {
        throw SetupFailure("cannot load \(file): \(answer.body)", Int32(answer.status))
      }
      collections.append(try Self.collection(of: String(decoding: text, as: UTF8.self), file))
    }
    for collection in collections {
      // 404 until the kind is established, then 429 until its storage is ready.
      var attempts = 0
      while try request("GET", collection + "?limit=1").status != 200 {
        attempts += 1
        guard attempts < 500 else { throw SetupFailure("\(collection) is not served", 0) }
        usleep(20_000)
      }
    }
  }

  /// The path of a kind's objects, by the lines of its definition that name it: `name: ipamblocks.crd.projectcalico.org`
  /// and `- name: v1`.
  private static func collection(of definition: String, _ file: String) throws -> String {
    let lines = definition.split(separator: "\n")
    guard let name = lines.first(where: { $0.hasPrefix("  name: ") })?.dropFirst("  name: ".count),
      let version = lines.first(where: { $0.hasPrefix("  - name: ") })?.dropFirst("  - name: ".count),
      let dot = name.firstIndex(of: ".")
    else { throw SetupFailure("\(file) defines no kind", 0) }
    return "/apis/\(name[name.index(after: dot)...])/\(version)/\(name[..<dot])"
  }

  /// Asks the server something as its administrator, by curl and not by the code under test.
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - path: the path with its query.
  ///   - body: what to send; nil for nothing.
  ///   - contentType: what the body is.
  /// - Returns: the HTTP status and the answer.
  /// - Throws: ``SetupFailure`` when there is no answer.
  @discardableResult
  public func request(
    _ method: String, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json"
  ) throws -> (status: Int, body: String) {
    // To a client that calls itself curl the server answers with indented text.
    var command = ["curl", "-sS", "-A", "swift-ipam-tests", "--max-time", "20", "-X", method, "-w", "\n%{http_code}"]
    command += ["--cacert", certificates + "/ca.crt", "-H", "Authorization: Bearer \(token)"]
    if body != nil { command += ["-H", "Content-Type: \(contentType)", "--data-binary", "@-"] }
    let answer = try ChildProcess.run(command + [url + path], input: body ?? [])
    let text = String(decoding: answer.output, as: UTF8.self)
    guard answer.status == 0, let end = text.lastIndex(of: "\n"), let status = Int(text[text.index(after: end)...])
    else { throw SetupFailure("\(method) \(path): curl failed", answer.status) }
    return (status, String(text[..<end]))
  }

  /// Asks the server something with a text as the body.
  @discardableResult
  public func request(_ method: String, _ path: String, _ body: String) throws -> (status: Int, body: String) {
    try request(method, path, body: Array(body.utf8))
  }

  private static func makeFolder() throws -> String {
    var template = Array("\(KubernetesServerProgram.temporaryFolder)/kube-testserver-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SetupFailure("mkdtemp", errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
