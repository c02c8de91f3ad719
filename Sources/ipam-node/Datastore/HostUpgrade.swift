import Datastore
import DatastoreAccess

/// Labels the affinities of this node that are from before there were labels: no listing of the node's affinities in
/// Kubernetes finds them (Calico IPAM specification, section 3.19).
struct HostUpgrade: Sendable {
  /// How long it may take, in milliseconds.
  private static let patience: UInt64 = 60_000

  let node: String
  let upgrade: @Sendable (String, Deadline) async throws -> Int

  /// Labels them; usually there are none.
  ///
  /// - Returns: how many were labelled.
  /// - Throws: `DatastoreError`.
  @discardableResult
  func run() async throws -> Int { try await upgrade(node, .after(milliseconds: Self.patience)) }
}
