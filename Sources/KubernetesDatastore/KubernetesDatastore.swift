public import Datastore
public import KubernetesClient

/// Calico's entries as custom resources of a Kubernetes API server.
public final class KubernetesDatastore: Datastore {
  /// How the store is used.
  public struct Options: Hashable, Sendable {
    /// `crd.projectcalico.org/v1` or `projectcalico.org/v3`; empty to ask the server (Calico IPAM specification, section
    /// 1.3.1).
    public var apiGroup = ""
    /// Where the server's answer to that question is kept between processes; nil to ask anew.
    public var discoveryCache: String?
    /// Whether nodes' addresses come from their pod CIDRs, so that there are no blocks.
    public var usesPodCIDR = false

    public init() {}
  }

  /// A store. Nothing is asked before the first call.
  public init(_ transport: any KubernetesTransport, options: Options = Options()) {}

  public var commitsAtomically: Bool { false }

  public func read(_ reads: [Read], deadline: Deadline) async throws(DatastoreError) -> [ReadResult] {
    throw DatastoreError(.unsupported, "not written yet")
  }

  public func commit(_ plan: Plan, deadline: Deadline) async throws(DatastoreError) -> Outcome {
    throw DatastoreError(.unsupported, "not written yet")
  }

  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    WatchStream { { nil } }
  }
}
