import IPAM

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The variables a runtime passes to a plugin (CNI specification 1.1.0, section 2), as bytes and unchanged.
public struct CNIEnvironment: Sendable {
  public var command: [UInt8]
  public var containerID: [UInt8]
  public var networkNamespace: [UInt8]
  public var interfaceName: [UInt8]
  public var arguments: [UInt8]
  public var path: [UInt8]
  public var networkNamespaceOverride: [UInt8]

  /// An environment of given values; an empty one is the same as an unset variable.
  public init(
    command: String = "",
    containerID: String = "",
    networkNamespace: String = "",
    interfaceName: String = "",
    arguments: String = "",
    path: String = "",
    networkNamespaceOverride: String = ""
  ) {
    self.command = Array(command.utf8)
    self.containerID = Array(containerID.utf8)
    self.networkNamespace = Array(networkNamespace.utf8)
    self.interfaceName = Array(interfaceName.utf8)
    self.arguments = Array(arguments.utf8)
    self.path = Array(path.utf8)
    self.networkNamespaceOverride = Array(networkNamespaceOverride.utf8)
  }

  /// The environment of this process.
  public static func ofProcess() -> CNIEnvironment {
    var environment = CNIEnvironment()
    environment.command = variable("CNI_COMMAND")
    environment.containerID = variable("CNI_CONTAINERID")
    environment.networkNamespace = variable("CNI_NETNS")
    environment.interfaceName = variable("CNI_IFNAME")
    environment.arguments = variable("CNI_ARGS")
    environment.path = variable("CNI_PATH")
    environment.networkNamespaceOverride = variable("CNI_NETNS_OVERRIDE")
    return environment
  }

  private static func variable(_ name: String) -> [UInt8] {
    guard let value = getenv(name) else { return [] }
    return Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
  }

  /// The verb as text, for messages.
  var commandText: String { String(decoding: command, as: UTF8.self) }

  /// The verb, or nil when there is none of that name.
  var verb: CNIVerb? { CNIVerb(rawValue: commandText) }

  /// Whether the runtime turned the check of network namespaces off.
  var overridesNamespaceCheck: Bool {
    let text = String(decoding: networkNamespaceOverride, as: UTF8.self)
    return text == "1" || text.lowercased() == "true"
  }
}

extension CNIEnvironment {
  /// Checks the variables in upstream's order: an invalid value is reported in preference to missing ones, even missing
  /// ones that come earlier.
  ///
  /// - Throws: ``CNIError`` with code 4.
  func validate() throws(CNIError) {
    let verb = verb
    let concernsAttachment = verb?.concernsAttachment ?? false
    let isPathRequired = verb != nil && verb != .version
    var missing: [String] = []
    func require(_ value: [UInt8], _ name: String, when isRequired: Bool) {
      if isRequired, value.isEmpty { missing.append(name) }
    }
    require(command, "CNI_COMMAND", when: true)
    require(containerID, "CNI_CONTAINERID", when: concernsAttachment)
    if concernsAttachment, !containerID.isEmpty { try validateContainerID() }
    require(networkNamespace, "CNI_NETNS", when: verb == .add || verb == .check)
    require(interfaceName, "CNI_IFNAME", when: concernsAttachment)
    if concernsAttachment, !interfaceName.isEmpty { try Self.validate(interfaceName: interfaceName) }
    require(path, "CNI_PATH", when: isPathRequired)
    guard missing.isEmpty else {
      throw CNIError(.invalidEnvironment, "required env variables [\(missing.joined(separator: ","))] missing")
    }
  }

  private func validateContainerID() throws(CNIError) {
    guard !Attachment.isValid(containerID: containerID) else { return }
    throw CNIError(
      .invalidEnvironment,
      "invalid characters in containerID",
      details: String(decoding: containerID, as: UTF8.self)
    )
  }

  private static func validate(interfaceName: [UInt8]) throws(CNIError) {
    // IFNAMSIZ is 16 and includes the terminating NUL.
    guard interfaceName.count < 16 else {
      throw CNIError(
        .invalidEnvironment,
        "interface name is too long",
        details: "interface name should be less than 16 characters"
      )
    }
    let text = String(decoding: interfaceName, as: UTF8.self)
    guard text != ".", text != ".." else {
      throw CNIError(.invalidEnvironment, "interface name is . or ..")
    }
    let isForbidden = { (scalar: Unicode.Scalar) in scalar == "/" || scalar == ":" || WhiteSpace.contains(scalar) }
    guard !text.unicodeScalars.contains(where: isForbidden) else {
      throw CNIError(.invalidEnvironment, "interface name contains / or : or whitespace characters")
    }
  }
}
