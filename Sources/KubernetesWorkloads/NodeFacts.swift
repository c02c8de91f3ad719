public import CalicoBackend
public import IPAddressing
import JSON

/// What address management needs of a node.
public struct NodeFacts: Hashable, Sendable {
  public var name: String
  /// Another one of the same name has another UID.
  public var uid: String
  /// The node's labels, and those of the annotation `projectcalico.org/labels` that it does not have (IPAM
  /// specification, section 4.4).
  public var labels: [String: String]
  public var annotations: [String: String]
  /// `spec.podCIDRs`, or `spec.podCIDR` alone where an old cluster has no other; as they are written there.
  public var podCIDRs: [String]

  public init(
    name: String, uid: String = "", labels: [String: String] = [:], annotations: [String: String] = [:],
    podCIDRs: [String] = []
  ) {
    self.name = name
    self.uid = uid
    self.labels = labels
    self.annotations = annotations
    self.podCIDRs = podCIDRs
  }

  init(_ object: KubernetesObject) {
    let spec = object.document["spec"]?.objectValue
    var podCIDRs = (spec?["podCIDRs"]?.arrayValue ?? []).compactMap(\.stringValue)
    if podCIDRs.isEmpty, let only = spec?["podCIDR"]?.stringValue, !only.isEmpty { podCIDRs = [only] }
    var labels: [String: String] = [:]
    if let text = object.annotations["projectcalico.org/labels"], let further = try? JSON(parsing: Array(text.utf8)) {
      labels = KubernetesObject.texts(further)
    }
    labels.merge(object.labels) { _, own in own }
    self.init(
      name: object.name, uid: object.uid, labels: labels, annotations: object.annotations, podCIDRs: podCIDRs)
  }
}

/// The networks that a node's pods have addresses from, at most one of a family (front-end specification, section 2.1).
public struct PodCIDRs: Hashable, Sendable {
  public let v4: CIDR?
  public let v6: CIDR?

  /// Reads a node's list: of each family the last one counts.
  ///
  /// - Parameter node: the node.
  /// - Throws: ``CalicoFailure`` when there is none, one is malformed, or two are of one family and none of the other.
  public init(_ node: NodeFacts) throws(CalicoFailure) {
    guard !node.podCIDRs.isEmpty else {
      throw CalicoFailure(
        "no podCidr for node \(node.name)",
        details: "give the cluster's nodes pod CIDRs: --allocate-node-cidrs of kube-controller-manager")
    }
    var v4: CIDR?
    var v6: CIDR?
    for text in node.podCIDRs {
      guard let cidr = CIDR(text) else {
        throw CalicoFailure("invalid CIDR address: \(text)", details: "correct spec.podCIDRs of node \(node.name)")
      }
      switch cidr.address.family {
      case .v4: v4 = cidr
      case .v6: v6 = cidr
      }
    }
    guard node.podCIDRs.count < 2 || (v4 != nil && v6 != nil) else {
      throw CalicoFailure(
        "ClusterCIDR contains two ranges of the same type", details: "correct spec.podCIDRs of node \(node.name)")
    }
    self.v4 = v4
    self.v6 = v6
  }

  /// The network that stands for `usePodCidr` or `usePodCidrIPv6`.
  ///
  /// - Parameter family: the family that the word stands for.
  /// - Returns: the network.
  /// - Throws: ``CalicoFailure`` when there is none of it.
  public func require(_ family: AddressFamily) throws(CalicoFailure) -> CIDR {
    switch family {
    case .v4:
      if let v4 { return v4 }
      throw CalicoFailure("usePodCidr found but there is no IPv4 CIDR configured")
    case .v6:
      if let v6 { return v6 }
      throw CalicoFailure("usePodCidrIPv6 found but there is no IPv6 CIDR configured")
    }
  }
}
