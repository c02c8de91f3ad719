public import CNI
public import Datastore
public import HostLocal

/// A datastore as the plugin uses it: one that may keep a record of attachments beside the entries, which tells later
/// that an attachment has ended.
public protocol PluginDatastore: Datastore {
  /// Whether ``handlesOfEarlierBoots(network:deadline:)`` can tell anything.
  static var keepsEvidence: Bool { get }

  /// Commits a plan with what it means for the record.
  ///
  /// - Parameters:
  ///   - plan: the changes.
  ///   - occasion: on behalf of whom.
  ///   - deadline: when to give up.
  /// - Returns: what became of the plan.
  /// - Throws: `DatastoreError` when nothing was written and nothing can be.
  func commit(_ plan: Plan, on occasion: CommitOccasion, deadline: Deadline) async throws -> Outcome

  /// The handles of a network of which all that is recorded is from earlier boots of this machine.
  ///
  /// - Parameters:
  ///   - network: the network's name.
  ///   - deadline: when to give up.
  /// - Returns: the handles, sorted; none where there is no record.
  /// - Throws: `DatastoreError` when the record cannot be read.
  func handlesOfEarlierBoots(network: String, deadline: Deadline) async throws -> [String]
}

/// On behalf of whom something is committed.
public enum CommitOccasion: Sendable {
  /// A runtime's call.
  case call(CNIInvocation)
  /// A container that got its address from host-local, whose reservation is taken over.
  case adoption(ReservationContent.Holder, network: String)
}
