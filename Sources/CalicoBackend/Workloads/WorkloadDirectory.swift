public import Datastore

/// Who knows the pods, namespaces and virtual machines of a cluster.
///
/// Upstream asks for them with a Kubernetes client of its own, besides the one of the datastore (front-end
/// specification, sections 1.6, 1.10 and 7.5). Each call is one request at most, and asks anew. Failures carry the
/// cluster's own words, such as `namespaces "web" not found`; who asks puts in front what it was for.
public protocol WorkloadDirectory: Sendable {
  /// A namespace; that there is none is a failure.
  func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts

  /// A pod; nil when there is none.
  func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts?

  /// A `VirtualMachineInstance` of KubeVirt; that there is none is a failure.
  func virtualMachineInstance(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject

  /// A `VirtualMachine` of KubeVirt; that there is none is a failure.
  func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject
}

/// What address management needs of a namespace.
public struct NamespaceFacts: Hashable, Sendable {
  public var name: String
  public var labels: [String: String]
  public var annotations: [String: String]

  public init(name: String, labels: [String: String] = [:], annotations: [String: String] = [:]) {
    self.name = name
    self.labels = labels
    self.annotations = annotations
  }
}

/// What address management needs of a pod.
public struct PodFacts: Hashable, Sendable {
  public var name: String
  public var namespace: String
  public var uid: String
  public var labels: [String: String]
  public var annotations: [String: String]
  public var owners: [OwnerReference]

  public init(
    name: String, namespace: String, uid: String = "", labels: [String: String] = [:],
    annotations: [String: String] = [:], owners: [OwnerReference] = []
  ) {
    self.name = name
    self.namespace = namespace
    self.uid = uid
    self.labels = labels
    self.annotations = annotations
    self.owners = owners
  }
}

/// What address management needs of a virtual machine or of its running instance.
public struct VirtualMachineObject: Hashable, Sendable {
  public var name: String
  public var uid: String
  /// Whether it has a deletion timestamp.
  public var isBeingDeleted: Bool
  public var owners: [OwnerReference]

  public init(name: String, uid: String, isBeingDeleted: Bool = false, owners: [OwnerReference] = []) {
    self.name = name
    self.uid = uid
    self.isBeingDeleted = isBeingDeleted
    self.owners = owners
  }
}

/// An entry of `metadata.ownerReferences`.
public struct OwnerReference: Hashable, Sendable {
  public var apiVersion: String
  public var kind: String
  public var name: String
  public var uid: String
  /// Whether the owner is the one that manages the object.
  public var isController: Bool

  public init(apiVersion: String, kind: String, name: String, uid: String, isController: Bool = false) {
    self.apiVersion = apiVersion
    self.kind = kind
    self.name = name
    self.uid = uid
    self.isController = isController
  }
}
