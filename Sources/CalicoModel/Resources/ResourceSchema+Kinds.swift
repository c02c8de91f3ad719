import JSON

// The order of members is that of Calico's types (recorded texts of etcd, `calico-etcd` vectors), as are the names of
// types in error texts.

extension ResourceSchema {
  /// The members of a kind's document.
  static func of(_ kind: ResourceKind) -> ResourceSchema {
    switch kind {
    case .ipPool: ipPool
    case .ipReservation: ipReservation
    case .ipamConfiguration: ipamConfiguration
    case .node: node
    case .clusterInformation: clusterInformation
    case .tier: tier
    // Never written as a resource; whatever is there stays.
    case .blockAffinity: document("BlockAffinity", ResourceSchema("BlockAffinitySpec", []))
    }
  }

  private static func document(
    _ name: String, _ specification: ResourceSchema, status: Member? = nil
  ) -> ResourceSchema {
    var members = [
      Member("kind"), Member("apiVersion"), Member("metadata", .object(metadata), .never([:])),
      Member("spec", .object(specification), .never([:])),
    ]
    if let status { members.append(status) }
    return ResourceSchema(name, members)
  }

  private static let metadata = ResourceSchema(
    "ObjectMeta",
    [
      Member("name"), Member("generateName"), Member("namespace"), Member("selfLink"),
      Member("uid", .string("types.UID")), Member("resourceVersion"), Member("generation", .integer(64, "int64")),
      Member("creationTimestamp", .time), Member("deletionTimestamp", .time, .absent),
      Member("deletionGracePeriodSeconds", .integer(64, "int64"), .absent),
      Member("labels", .strings), Member("annotations", .strings),
      Member("ownerReferences", .list(.any, of: "v1.OwnerReference")), Member("finalizers", .list(.string())),
      Member("managedFields", .list(.any, of: "v1.ManagedFieldsEntry")),
    ])

  private static let condition = ResourceSchema(
    "Condition",
    [
      Member("type", .string(), .never("")), Member("status", .string("v1.ConditionStatus"), .never("")),
      Member("observedGeneration", .integer(64, "int64")), Member("lastTransitionTime", .time, .never(.null)),
      Member("reason", .string(), .never("")), Member("message", .string(), .never("")),
    ])

  private static let conditions = Member("conditions", .list(.object(condition), of: "v1.Condition"))

  private static let ipPool = document(
    "IPPool",
    ResourceSchema(
      "IPPoolSpec",
      [
        Member("cidr", .string(), .never("")), Member("vxlanMode", .string("v3.VXLANMode")),
        Member("ipipMode", .string("v3.IPIPMode")), Member("natOutgoing", .bool), Member("disabled", .bool),
        Member("disableBGPExport", .bool), Member("blockSize", .integer(64)), Member("nodeSelector"),
        Member("namespaceSelector"),
        Member("allowedUses", .list(.string("v3.IPPoolAllowedUse"), of: "v3.IPPoolAllowedUse")),
        Member("assignmentMode", .string("v3.AssignmentMode")),
      ]),
    status: Member("status", .object(ResourceSchema("IPPoolStatus", [conditions])), .absent))

  private static let ipReservation = document(
    "IPReservation", ResourceSchema("IPReservationSpec", [Member("reservedCIDRs", .list(.string()))]))

  private static let ipamConfiguration = document(
    "IPAMConfiguration",
    ResourceSchema(
      "IPAMConfigurationSpec",
      [
        // Always written, so that a document that does not mention it stores false (calicoctl section 4.5).
        Member("strictAffinity", .bool, .never(false)), Member("autoAllocateBlocks", .bool, .never(false)),
        Member("maxBlocksPerHost", .integer(32, "int32")),
        Member("kubeVirtVMAddressPersistence", .string("v3.VMAddressPersistence"), .absent),
        Member("ipCooldownSeconds", .integer(32, "int32")),
      ]))

  private static let bgp = ResourceSchema(
    "NodeBGPSpec",
    [
      Member("asNumber", .systemNumber, .absent), Member("ipv4Address"), Member("ipv6Address"),
      Member("ipv4IPIPTunnelAddr"), Member("routeReflectorClusterID"),
    ])

  private static let wireguard = ResourceSchema(
    "NodeWireguardSpec", [Member("interfaceIPv4Address"), Member("interfaceIPv6Address")])

  private static let node = document(
    "Node",
    ResourceSchema(
      "NodeSpec",
      [
        Member("bgp", .object(bgp), .absent), Member("ipv4VXLANTunnelAddr"), Member("vxlanTunnelMACAddr"),
        Member("ipv6VXLANTunnelAddr"), Member("vxlanTunnelMACAddrV6"),
        Member(
          "orchRefs",
          .list(
            .object(ResourceSchema("OrchRef", [Member("nodeName"), Member("orchestrator", .string(), .never(""))])),
            of: "internalapi.OrchRef")),
        Member("wireguard", .object(wireguard), .absent),
        Member(
          "addresses",
          .list(
            .object(ResourceSchema("NodeAddress", [Member("address", .string(), .never("")), Member("type")])),
            of: "internalapi.NodeAddress")),
        Member(
          "interfaces",
          .list(
            .object(ResourceSchema("NodeInterface", [Member("name"), Member("addresses", .list(.string()))])),
            of: "internalapi.NodeInterface")),
      ]),
    status: Member(
      "status",
      .object(
        ResourceSchema(
          "NodeStatus",
          [Member("wireguardPublicKey"), Member("wireguardPublicKeyV6"), Member("podCIDRs", .list(.string()))])),
      .never([:])))

  private static let clusterInformation = document(
    "ClusterInformation",
    ResourceSchema(
      "ClusterInformationSpec",
      [
        Member("clusterGUID"), Member("clusterType"), Member("calicoVersion"), Member("datastoreReady", .bool, .absent),
        Member("variant"),
      ]))

  private static let tier = document(
    "Tier",
    ResourceSchema(
      "TierSpec",
      [Member("order", .number("float64"), .absent), Member("defaultAction", .string("v3.Action"), .absent)]),
    status: Member("status", .object(ResourceSchema("TierStatus", [conditions])), .never([:])))
}
