public import CalicoModel
public import Datastore
public import DatastoreSettings
import EtcdDatastore
import KubernetesClient
import KubernetesDatastore
public import SQLiteDatastore

/// A datastore that settings name, opened with the driver of its engine.
///
/// Opening reads the files that settings name, and asks no server yet.
public struct OpenedDatastore: Sendable {
  public enum Access: Hashable, Sendable {
    case readOnly
    case readWrite
  }

  /// What keeps the entries.
  public let engine: DatastoreEngine
  public let store: any Datastore
  /// What an operator is told the datastore is, such as `etcd at https://10.0.0.1:2379`.
  public let name: String
  /// The same store, where it is the embedded one.
  public let embedded: SQLiteDatastore?
  private let etcd: EtcdDatastore?
  private let kubernetes: KubernetesDatastore?

  /// Opens a datastore.
  ///
  /// - Parameters:
  ///   - settings: which one, and how to reach it.
  ///   - access: whether the embedded one may be written to; servers decide for themselves.
  ///   - watchInterval: how often a watch of the embedded one looks for changes.
  /// - Throws: `DatastoreError` when the settings cannot be used.
  public init(
    _ settings: DatastoreSettings, access: Access = .readWrite, watchInterval: Duration = .milliseconds(500)
  ) throws(DatastoreError) {
    engine = settings.engine
    name = settings.datastoreName
    switch settings.engine {
    case .sqlite:
      let options = SQLiteDatastore.Options(
        access: access == .readOnly ? .readOnly : .readWrite, watchInterval: watchInterval)
      let database = SQLiteDatastore(path: settings.databaseFile, options: options)
      (store, embedded, etcd, kubernetes) = (database, database, nil, nil)
    case .etcd:
      let cluster = try EtcdDatastore(settings.etcd)
      (store, embedded, etcd, kubernetes) = (cluster, nil, cluster, nil)
    case .kubernetes:
      let datastore = try Self.kubernetes(settings.kubernetes)
      (store, embedded, etcd, kubernetes) = (datastore, nil, nil, datastore)
    }
  }

  private static func kubernetes(_ settings: KubernetesSettings) throws(DatastoreError) -> KubernetesDatastore {
    var options = KubernetesDatastore.Options()
    options.apiGroup = settings.apiGroup
    options.usesPodCIDR = settings.usesPodCIDR
    do throws(KubernetesTransportError) {
      return KubernetesDatastore(try KubernetesClient(settings), options: options)
    } catch {
      let code: DatastoreError.Code =
        switch error.code {
        case .unreachable, .lost: .unavailable
        case .refusedCertificate, .settings: .unusable
        }
      throw DatastoreError(code, error.description, advice: error.advice)
    }
  }
}

extension OpenedDatastore {
  /// Hands over the workload endpoints; engines other than etcd have none.
  ///
  /// - Parameters:
  ///   - milliseconds: how long a page may take.
  ///   - body: takes an endpoint; what cannot be read as one is passed over.
  /// - Throws: `DatastoreError`.
  public func forEachWorkloadEndpoint(
    millisecondsPerPage milliseconds: UInt64, _ body: (WorkloadEndpoint) -> Void
  ) async throws(DatastoreError) {
    try await etcd?.forEachValue(below: WorkloadEndpoint.path, millisecondsPerPage: milliseconds) { place, value in
      if let endpoint = WorkloadEndpoint(decoding: value, at: place) { body(endpoint) }
    }
  }

  /// Labels the affinities of a node that are from before there were labels; other engines have none (Calico IPAM
  /// specification, section 3.19).
  ///
  /// - Parameters:
  ///   - node: the node.
  ///   - deadline: when to give up.
  /// - Returns: how many were labelled.
  /// - Throws: `DatastoreError`.
  @discardableResult
  public func upgradeHost(_ node: String, deadline: Deadline) async throws(DatastoreError) -> Int {
    try await kubernetes?.upgradeHost(node, deadline: deadline) ?? 0
  }
}
