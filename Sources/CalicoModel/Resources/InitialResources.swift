import JSON

/// What a cluster's datastore holds from its first initialisation on (Calico IPAM specification, section 4.6).
public enum InitialResources {
  /// ClusterInformation `default` and the three tiers.
  ///
  /// - Parameter clusterGUID: 32 hexadecimal digits in lower case, for a cluster that has none yet.
  /// - Returns: the resources in the order in which they are written, without identifiers and times.
  public static func all(clusterGUID: String) -> [Resource] {
    [
      Resource(
        .clusterInformation, name: "default",
        specification: ["clusterGUID": .string(clusterGUID), "datastoreReady": true]),
      tier("default", order: 1_000_000, action: "Deny"),
      tier("kube-admin", order: 1000, action: "Pass"),
      tier("kube-baseline", order: 10_000_000, action: "Pass"),
    ]
  }

  private static func tier(_ name: String, order: Int, action: String) -> Resource {
    Resource(
      .tier, name: name, specification: ["order": .number(JSONNumber(order)), "defaultAction": .string(action)])
  }
}
