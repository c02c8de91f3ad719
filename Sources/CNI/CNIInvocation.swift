public import IPAM

/// One call of a plugin, checked as far as the protocol goes: what a backend is made from.
public struct CNIInvocation: Sendable {
  public let verb: CNIVerb
  /// The version the configuration asks for; always a supported one.
  public let version: CNIVersion
  /// Whom the call is about. GC and STATUS have none: its parts are then whatever the environment held.
  public let attachment: Attachment
  /// Where the container's network namespace is, as the runtime says; empty when it does not.
  public let networkNamespace: String
  /// The pairs of `CNI_ARGS`.
  public let arguments: CNIArguments
  public let configuration: NetworkConfiguration
  /// Where warnings go.
  public let streams: CNIStreams

  public init(
    verb: CNIVerb,
    version: CNIVersion,
    attachment: Attachment,
    networkNamespace: String = "",
    arguments: CNIArguments,
    configuration: NetworkConfiguration,
    streams: CNIStreams
  ) {
    self.verb = verb
    self.version = version
    self.attachment = attachment
    self.networkNamespace = networkNamespace
    self.arguments = arguments
    self.configuration = configuration
    self.streams = streams
  }
}
