public import IPAddressing

/// What is to be found out: which addresses a pod would get on a node now.
public struct AssignmentQuestion: Sendable {
  /// The node's name in Calico.
  public var node: String
  /// The pod's namespace; nil for none, or the default one where there are namespaces.
  public var namespace: String?
  /// The pod, which need not exist; nil for any new one.
  public var pod: String?
  /// Pools to ask for, by name or network, whatever configuration and annotations say; empty to ask as these do.
  public var pools: [String] = []
  /// The very addresses to ask for, as `CNI_ARGS` does.
  public var addresses: [IPAddress] = []
  /// Annotations and labels over those that pod and namespace have.
  public var podAnnotations: [String: String] = [:]
  public var namespaceAnnotations: [String: String] = [:]
  public var namespaceLabels: [String: String] = [:]
  /// The CNI configuration that the node's runtime has: of one plugin, or a list of them; nil for one that asks for
  /// nothing but an IPv4 address and heeds annotations.
  public var networkConfiguration: [UInt8]?

  public init(node: String) {
    self.node = node
  }

  /// Whether annotations or labels are to be taken for given.
  var assumesMetadata: Bool { !podAnnotations.isEmpty || !namespaceAnnotations.isEmpty || !namespaceLabels.isEmpty }
}

/// Why a question cannot be put.
public struct QuestionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was found where, and what to do about it.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
