public import IPAM

/// Everything about a CNI plugin that is protocol and not strategy: the environment and its order of checks, stdin,
/// versions, results, error documents and the exit status.
///
/// Behaviour is upstream's to the byte (host-local specification, section 1).
public struct CNIPlugin<Backend: IPAMBackend>: Sendable {
  private let name: String
  private let version: String
  private let makeBackend: @Sendable (CNIInvocation) throws -> Backend

  /// A plugin.
  ///
  /// - Parameters:
  ///   - name: the executable's name, such as `host-local`.
  ///   - version: the package's version, printed when there is no verb.
  ///   - makeBackend: makes the backend of one call. It validates the configuration as the verb demands and touches no
  ///     store; what it throws is reported as the call's error.
  public init(
    name: String,
    version: String,
    makeBackend: @escaping @Sendable (CNIInvocation) throws -> Backend
  ) {
    self.name = name
    self.version = version
    self.makeBackend = makeBackend
  }

  /// Serves the one call this process was started for.
  ///
  /// - Parameters:
  ///   - environment: the variables of the call.
  ///   - streams: where stdin is read from, and where output goes.
  /// - Returns: the exit status.
  public func run(environment: CNIEnvironment = .ofProcess(), streams: CNIStreams = .ofProcess) async -> Int32 {
    // Without a verb nothing else is required, so this is a person looking on and not a runtime with a faulty call.
    if environment.command.isEmpty {
      streams.log(banner)
      return 0
    }
    do {
      try await serve(environment, streams)
      return 0
    } catch {
      let document = CNIError(error).encoded()
      do {
        try streams.emit(document)
      } catch {
        streams.log("Error writing error JSON to stdout: \(error.message)")
      }
      return 1
    }
  }

  private var banner: String {
    let versions = CNIVersion.supported.map(\.description).joined(separator: ", ")
    return "CNI \(name) plugin v\(version)\nCNI protocol versions supported: \(versions)"
  }

  private func serve(_ environment: CNIEnvironment, _ streams: CNIStreams) async throws {
    try environment.validate()
    if environment.verb == .version {
      try streams.emit(Self.versionDocument)
      return
    }
    let configuration = try NetworkConfiguration(parsing: streams.readInput())
    guard let verb = environment.verb else {
      throw CNIError(.invalidEnvironment, "unknown CNI_COMMAND: \(environment.commandText)")
    }
    let version = try configuration.version()
    try Self.checkSupport(of: version, for: verb)
    let invocation = CNIInvocation(
      verb: verb,
      version: version,
      attachment: environment.attachment,
      networkNamespace: String(decoding: environment.networkNamespace, as: UTF8.self),
      arguments: CNIArguments(environment.arguments),
      configuration: configuration,
      streams: streams
    )
    try await perform(invocation, environment)
  }

  private func perform(_ invocation: CNIInvocation, _ environment: CNIEnvironment) async throws {
    switch invocation.verb {
    case .add:
      let backend = try makeBackend(invocation)
      let assignment = try await backend.assign(AssignmentRequest(invocation.attachment))
      let result = CNIResult(assignment: assignment, version: invocation.version)
      if let problem = result.problem { throw problem }
      try invocation.streams.emit(result.encoded())
      try NamespaceGuard.check(environment)
    case .del:
      try await makeBackend(invocation).release(invocation.attachment)
      try NamespaceGuard.check(environment)
    case .check:
      try await makeBackend(invocation).check(
        invocation.attachment, expecting: PreviousResult.addresses(in: invocation.configuration.document))
    case .gc:
      let backend = try makeBackend(invocation)
      try await backend.collect(keeping: ValidAttachments.read(from: invocation.configuration.document))
    case .status:
      try await makeBackend(invocation).status()
    case .version:
      // Answered before stdin is read.
      break
    }
  }

  private static var versionDocument: [UInt8] {
    let versions = CNIVersion.supported.map { "\"\($0)\"" }.joined(separator: ",")
    return Array("{\"cniVersion\":\"\(CNIVersion.newest)\",\"supportedVersions\":[\(versions)]}\n".utf8)
  }

  /// Verbs that came later are judged by the numbers of the version, all verbs by its text.
  private static func checkSupport(of version: CNIVersion, for verb: CNIVerb) throws(CNIError) {
    let oldest: VersionParts? =
      switch verb {
      case .check: VersionParts(major: 0, minor: 4, micro: 0)
      case .gc, .status: VersionParts(major: 1, minor: 1, micro: 0)
      case .add, .del, .version: nil
      }
    if let oldest {
      let parts = try version.parts()
      guard parts >= oldest else {
        throw CNIError(.incompatibleVersion, "config version does not allow \(verb.rawValue)")
      }
      guard parts <= VersionParts(major: 1, minor: 1, micro: 0) else {
        throw CNIError(.incompatibleVersion, "plugin version does not allow \(verb.rawValue)")
      }
    }
    guard version.isSupported else {
      let supported = CNIVersion.supported.map { "\"\($0)\"" }.joined(separator: " ")
      throw CNIError(
        .incompatibleVersion,
        "incompatible CNI versions",
        details: "config is \(QuotedText.quote(version.description.utf8)), plugin supports [\(supported)]"
      )
    }
  }
}

extension CNIEnvironment {
  fileprivate var attachment: Attachment {
    Attachment(
      containerID: String(decoding: containerID, as: UTF8.self),
      interfaceName: InterfaceName(bytes: interfaceName)
    )
  }
}
