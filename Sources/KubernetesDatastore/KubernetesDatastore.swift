import CalicoModel
public import Datastore
public import KubernetesClient
import Synchronization

/// Calico's entries as custom resources of a Kubernetes API server.
///
/// Every write is a compare-and-swap of one object; a plan is made stage by stage. Entries are read and written in the
/// form of etcd, and are objects of either group of resources on the server (Calico IPAM specification, section 1.3).
public final class KubernetesDatastore: Datastore {
  /// How the store is used.
  public struct Options: Hashable, Sendable {
    /// `crd.projectcalico.org/v1` or `projectcalico.org/v3`; empty to ask the server (Calico IPAM specification, section
    /// 1.3.1).
    public var apiGroup = ""
    /// The file in which the server's answer to that question is kept between processes; nil to ask anew.
    public var discoveryCache: String?
    /// What tells this server from others in that file, such as its URL.
    public var server = ""
    /// Whether nodes' addresses come from their pod CIDRs, so that there are no blocks.
    public var usesPodCIDR = false

    public init() {}
  }

  let server: APIServer
  let options: Options
  let state = Mutex(State())

  /// What an instance remembers.
  struct State {
    var group: APIGroup?
    /// What was read or written last, up to half a megabyte, so that it need not be read again to be deleted.
    var bodies = BoundedMemory<Key, Body>(capacity: 512 << 10) { $0.bytes.count }
    /// What others have written into the metadata of objects, which is nearly never.
    var foreign = BoundedMemory<Key, Foreign>(capacity: 1024)
    /// Pools as the last listing told them, if it was one that may lag.
    var laggingPools: [Key: LaggingPool] = [:]
    /// The rest of listings that were cut off.
    var rests = BoundedMemory<Listing.Scope, ListingRest>(capacity: 4)
  }

  struct Body: Sendable {
    var revision: Revision
    var bytes: [UInt8]
  }

  struct Foreign: Sendable {
    var revision: Revision
    var metadata: ForeignMetadata
  }

  /// A store. Nothing is asked before the first call.
  ///
  /// - Parameters:
  ///   - transport: the connection to the server.
  ///   - options: how the store is used.
  public init(_ transport: any KubernetesTransport, options: Options = Options()) {
    self.server = APIServer(transport: transport)
    self.options = options
  }

  public var commitsAtomically: Bool { false }

  /// The forms of the server's objects; asks the server for its groups if that is not known.
  func form(deadline: Deadline) async throws(DatastoreError) -> EntryForm {
    EntryForm(group: try await group(deadline: deadline), usesPodCIDR: options.usesPodCIDR)
  }

  /// Refuses what there is none of where nodes have ranges of pod addresses (Calico IPAM specification, section 1.3.1).
  func requireSupport(of kind: EntryKind, _ description: @autoclosure () -> String) throws(DatastoreError) {
    guard options.usesPodCIDR else { return }
    switch kind {
    case .blocks, .affinities, .handles, .configuration:
      throw DatastoreError(
        .unsupported, "operation is not supported on \(description()): addresses come from the nodes' pod CIDRs",
        advice: "unset USE_POD_CIDR to keep blocks of addresses")
    case .resources: return
    }
  }

  // MARK: - Memory

  /// Remembers an entry as it was read or written.
  ///
  /// - Parameters:
  ///   - entry: the entry.
  ///   - keepsBody: whether the value is likely to be needed again.
  func remember(_ entry: DecodedEntry, keepsBody: Bool) {
    guard keepsBody || !entry.foreign.isEmpty else { return }
    state.withLock { state in
      if keepsBody { state.bodies[entry.key] = Body(revision: entry.revision, bytes: entry.bytes) }
      state.foreign[entry.key] =
        entry.foreign.isEmpty ? nil : Foreign(revision: entry.revision, metadata: entry.foreign)
    }
  }

  /// What others had written into the metadata of an entry at a revision.
  func foreign(_ key: Key, at revision: Revision?) -> ForeignMetadata? {
    state.withLock { state in
      guard let foreign = state.foreign[key], foreign.revision == revision else { return nil }
      return foreign.metadata
    }
  }
}
