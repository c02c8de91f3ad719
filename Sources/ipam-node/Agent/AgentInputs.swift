import Datastore
import RouteSources
import Routing
import SQLiteDatastore

/// Where the agent's facts come from, as it was configured.
struct AgentInputs: Sendable {
  let configuration: AgentConfiguration
  /// Takes how many bytes were read from the datastore.
  var count: @Sendable (Int) -> Void = { _ in }

  /// The datastore.
  ///
  /// - Parameter isWritten: whether it may be written to; only tunnel addresses need that.
  /// - Returns: the datastore; no file is touched yet.
  func datastore(isWritten: Bool) -> MeteredDatastore {
    let options = SQLiteDatastore.Options(access: isWritten ? .readWrite : .readOnly)
    let path = configuration.databaseFile
    let store = ExistingDatastore(base: SQLiteDatastore(path: path, options: options), path: path)
    return MeteredDatastore(base: store, count: count)
  }

  /// Whether there is a datastore at all, and no fixed list of nodes in its place.
  var hasDatastore: Bool { configuration.nodesFile.isEmpty }

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
