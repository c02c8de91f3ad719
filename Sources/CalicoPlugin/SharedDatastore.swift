import CNI
public import Datastore

/// A datastore that many hosts share, as the plugin uses it. It keeps no record of attachments: what a host that went
/// down left behind is for the collector of the cluster, which knows all nodes and pods.
public struct SharedDatastore<Base: Datastore>: PluginDatastore {
  private let base: Base

  /// The plugin's view of a datastore.
  public init(_ base: Base) {
    self.base = base
  }

  public static var keepsEvidence: Bool { false }

  public var commitsAtomically: Bool { base.commitsAtomically }

  public func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await base.read(reads, deadline: deadline)
  }

  public func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  public func commit(_ plan: Plan, on occasion: CommitOccasion, deadline: Deadline) async throws -> Outcome {
    try await base.commit(plan, deadline: deadline)
  }

  public func handlesOfEarlierBoots(network: String, deadline: Deadline) async throws -> [String] { [] }

  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    base.watch(interest, from: cursor)
  }
}
