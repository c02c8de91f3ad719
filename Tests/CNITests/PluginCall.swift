import CNI
import IPAM
import IPAddressing
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Testing has a type of this name too.
typealias Attachment = IPAM.Attachment

/// What a backend was asked for.
enum BackendCall: Hashable, Sendable {
  case made(CNIVerb, version: String, network: String)
  case assign(AssignmentRequest)
  case release(Attachment)
  case check(Attachment)
  case collect(Set<Attachment>)
  case status
}

/// A backend that gives a prepared answer and notes what it was asked for.
struct FakeBackend: IPAMBackend {
  let script: Script

  final class Script: Sendable {
    let assignment: Assignment
    let creationFailure: (any Error)?
    let failure: (any Error)?
    private let recorded = Mutex<[BackendCall]>([])

    init(assignment: Assignment, creationFailure: (any Error)?, failure: (any Error)?) {
      self.assignment = assignment
      self.creationFailure = creationFailure
      self.failure = failure
    }

    var calls: [BackendCall] { recorded.withLock { $0 } }

    func record(_ call: BackendCall) { recorded.withLock { $0.append(call) } }

    func perform(_ call: BackendCall) throws {
      record(call)
      if let failure { throw failure }
    }
  }

  func assign(_ request: AssignmentRequest) async throws -> Assignment {
    try script.perform(.assign(request))
    return script.assignment
  }

  func release(_ attachment: Attachment) async throws { try script.perform(.release(attachment)) }

  func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws {
    try script.perform(.check(attachment))
  }

  func collect(keeping valid: Set<Attachment>) async throws { try script.perform(.collect(valid)) }

  func status() async throws { try script.perform(.status) }
}

/// A nameless file, for use as one of a plugin's streams.
struct ScratchFile: ~Copyable {
  let descriptor: Int32

  init(_ content: [UInt8] = []) throws {
    var path = Array("/tmp/swift-ipam-cni-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    try #require(descriptor >= 0)
    unlink(path)
    guard !content.isEmpty else { return }
    try #require(write(descriptor, content, content.count) == content.count)
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  /// How far the file has been read or written.
  var offset: Int { Int(lseek(descriptor, 0, SEEK_CUR)) }

  /// All of the file.
  var text: String {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: size)
    let count = pread(descriptor, &bytes, size, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}

/// One call of a plugin with a fake backend, and what came of it.
struct PluginCall: Sendable {
  var exitStatus: Int32
  var output: String
  var diagnostics: String
  var calls: [BackendCall]
  /// How many bytes of the input were consumed.
  var bytesRead: Int

  /// Runs a call in this process: `input` is the document on stdin, and `outputPath` is where stdout leads to instead
  /// of being caught.
  static func run(
    _ environment: CNIEnvironment,
    input: String = #"{"cniVersion": "1.1.0", "name": "web"}"#,
    outputPath: String? = nil,
    assignment: Assignment = sampleAssignment,
    creationFailure: (any Error)? = nil,
    failure: (any Error)? = nil
  ) async throws -> PluginCall {
    let script = FakeBackend.Script(assignment: assignment, creationFailure: creationFailure, failure: failure)
    let plugin = CNIPlugin(name: "fake", version: "9.8.7") { invocation in
      script.record(
        .made(invocation.verb, version: invocation.version.description, network: invocation.configuration.name))
      if let creationFailure = script.creationFailure { throw creationFailure }
      return FakeBackend(script: script)
    }
    let stdin = try ScratchFile(Array(input.utf8))
    let stdout = try ScratchFile()
    let stderr = try ScratchFile()
    let other = outputPath.map { open($0, O_WRONLY) }
    defer { if let other { close(other) } }
    let exitStatus = await plugin.run(
      environment: environment,
      streams: CNIStreams(
        input: stdin.descriptor,
        output: other ?? stdout.descriptor,
        diagnostics: stderr.descriptor
      )
    )
    return PluginCall(
      exitStatus: exitStatus,
      output: stdout.text,
      diagnostics: stderr.text,
      calls: script.calls,
      bytesRead: stdin.offset
    )
  }

  static let attachment = Attachment(containerID: "c1", interfaceName: InterfaceName("eth0"))

  /// One IPv4 address with its gateway.
  static let sampleAssignment = Assignment(
    addresses: [
      AssignedAddress(
        address: CIDR("10.1.2.2/24") ?? CIDR(host: IPAddress(v4: 0)),
        gateway: IPAddress(v4: 0x0A01_0201)
      )
    ]
  )

  /// The result of ``sampleAssignment`` in version 1.1.0.
  static let sampleResult = """
    {
        "cniVersion": "1.1.0",
        "ips": [
            {
                "address": "10.1.2.2/24",
                "gateway": "10.1.2.1"
            }
        ]
    }
    """

  /// The error document without details.
  static func errorDocument(_ code: Int, _ message: String) -> String {
    "{\n    \"code\": \(code),\n    \"msg\": \"\(message)\"\n}"
  }
}

extension CNIEnvironment {
  /// A complete environment for a verb, with a namespace that does not exist.
  static func complete(
    _ command: String,
    networkNamespace: String = "/nonexistent/netns",
    arguments: String = "",
    networkNamespaceOverride: String = ""
  ) -> CNIEnvironment {
    CNIEnvironment(
      command: command,
      containerID: "c1",
      networkNamespace: networkNamespace,
      interfaceName: "eth0",
      arguments: arguments,
      path: "/opt/cni/bin",
      networkNamespaceOverride: networkNamespaceOverride
    )
  }
}
