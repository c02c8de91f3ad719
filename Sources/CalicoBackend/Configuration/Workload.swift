import CNI
import FileSystem
public import IPAM

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whom a call is about, as Calico names it (front-end specification, section 1.5).
public struct Workload: Hashable, Sendable {
  public let networkName: String
  public let containerID: String
  public let nodeName: String
  public let arguments: CalicoArguments

  /// The handle of the addresses.
  public var handleID: String { networkName + "." + containerID }

  /// The handle that old releases used.
  public var legacyHandleID: String {
    arguments.isKubernetes ? arguments.podNamespace + "." + arguments.podName : containerID
  }

  /// Works out whom a call is about.
  ///
  /// - Parameters:
  ///   - attachment: the container and its interface.
  ///   - arguments: what `CNI_ARGS` says.
  ///   - configuration: the network's configuration.
  ///   - nodeName: the node.
  /// - Throws: ``CalicoFailure`` when a part cannot be part of an endpoint's name.
  public init(
    _ attachment: Attachment, _ arguments: CalicoArguments, _ configuration: CalicoConfiguration, nodeName: String
  ) throws(CalicoFailure) {
    networkName = configuration.networkName
    containerID = attachment.containerID
    self.nodeName = nodeName
    self.arguments = arguments
    try Self.check("node", nodeName)
    if arguments.isKubernetes {
      try Self.check("pod", arguments.podName)
    } else {
      try Self.check("containerID", containerID)
    }
    try Self.check("endpoint", attachment.interfaceName.description)
  }

  private static func check(_ field: String, _ value: String) throws(CalicoFailure) {
    let problem: String
    if value.isEmpty {
      problem = "field should be assigned"
    } else if value.hasPrefix("-") {
      problem = "field must not begin with a '-'"
    } else if value.hasSuffix("-") {
      problem = "field must not end with a '-'"
    } else {
      return
    }
    throw CalicoFailure("error constructing WorkloadEndpoint name: error with field \(field) = '\(value)' (\(problem))")
  }

  /// What is recorded with the addresses, at a time that is given in the attribute's form.
  public func attributes(timestamp: String) -> [String: String] {
    var attributes = ["node": nodeName, "timestamp": timestamp]
    if arguments.isKubernetes {
      attributes["pod"] = arguments.podName
      attributes["namespace"] = arguments.podNamespace
    }
    return attributes
  }
}

/// The node's name: configured, in a file, or the host's.
public enum NodeName {
  /// Finds the name, in upstream's order of sources.
  ///
  /// A line end behind the name in the file is not part of it; upstream takes it for one, and then finds no such node.
  ///
  /// - Parameters:
  ///   - configuration: the network's configuration.
  ///   - log: takes warnings.
  /// - Returns: the name, empty when even the host has none.
  public static func find(_ configuration: CalicoConfiguration, log: (String) -> Void) -> String {
    if !configuration.nodeName.isEmpty { return configuration.nodeName }
    do throws(SystemError) {
      let name = trimmed(String(decoding: try File.contents(at: configuration.nodeNameFile), as: UTF8.self))
      if !name.isEmpty { return name }
    } catch {
      if error.number != ENOENT {
        log("Failed to read \(configuration.nodeNameFile): \(systemReason(error.number))")
      }
    }
    if !configuration.hostname.isEmpty {
      log("Configuration option 'hostname' is deprecated, use 'nodename' instead")
      return configuration.hostname
    }
    return trimmed(hostName()).lowercased()
  }

  /// The name of the host where no configuration says otherwise.
  ///
  /// - Parameter log: takes warnings.
  /// - Returns: the name, empty when even the host has none.
  public static func ofHost(log: (String) -> Void) -> String { find(CalicoConfiguration(networkName: ""), log: log) }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  private static func hostName() -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let found = buffer.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      return gethostname(base.assumingMemoryBound(to: CChar.self), bytes.count - 1) == 0
    }
    return !found ? "" : String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
  }
}
