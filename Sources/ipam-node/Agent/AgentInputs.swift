import Datastore
import DatastoreAccess
import DatastoreSettings
import RouteSources
import Routing

/// Where the agent's facts come from, as it was configured.
struct AgentInputs: Sendable {
  let configuration: AgentConfiguration
  /// Takes how many bytes were read from the datastore.
  var count: @Sendable (Int) -> Void = { _ in }

  /// A datastore, opened.
  struct Opened: Sendable {
    let store: MeteredDatastore
    /// What has to be done about this node's entries at the start; nil for nothing.
    var upgrade: HostUpgrade?
  }

  /// Opens the datastore.
  ///
  /// - Parameter isWritten: whether it may be written to; only tunnel addresses need that.
  /// - Returns: the datastore; nothing is asked of it yet.
  /// - Throws: `DatastoreError` when its settings cannot be used.
  func open(isWritten: Bool) throws(DatastoreError) -> Opened {
    // A list of nodes takes the place of any datastore, whose settings need not be right then.
    let settings = hasDatastore ? configuration.datastore : DatastoreSettings()
    let opened = try OpenedDatastore(settings, access: isWritten ? .readWrite : .readOnly)
    guard opened.engine != .sqlite else {
      let store = ExistingDatastore(base: opened.store, path: settings.databaseFile)
      return Opened(store: MeteredDatastore(base: store, count: count))
    }
    var result = Opened(store: MeteredDatastore(base: opened.store, count: count))
    if isWritten, opened.engine == .kubernetes, configuration.routing.mode == .blocks {
      let upgrade: @Sendable (String, Deadline) async throws -> Int = { try await opened.upgradeHost($0, deadline: $1) }
      result.upgrade = HostUpgrade(node: configuration.routing.nodeName, upgrade: upgrade)
    }
    return result
  }

  /// Whether there is a datastore at all, and no fixed list of nodes in its place.
  var hasDatastore: Bool { configuration.nodesFile.isEmpty }

  /// Whether this node's tunnel addresses are allocated. Where nodes of Kubernetes have ranges of their own, they follow
  /// from those (front-end specification, section 6).
  var allocatesTunnelAddresses: Bool {
    guard hasDatastore, configuration.allocatesTunnelAddresses else { return false }
    return configuration.datastore.engine != .kubernetes || configuration.routing.mode == .blocks
  }

  /// What tells of routes.
  func source(_ store: MeteredDatastore) -> any RouteSource {
    var options = RouteSourceOptions()
    options.listingInterval = .seconds(configuration.borrowedListingInterval)
    let routing = configuration.routing
    guard hasDatastore else {
      let file = NodesFile(configuration.nodesFile)
      return StaticRouteSource(name: configuration.nodesFile, mode: configuration.routing.mode) { try file.read() }
    }
    return DatastoreRouteSource(store, nodeName: routing.nodeName, mode: routing.mode, options: options)
  }
}
