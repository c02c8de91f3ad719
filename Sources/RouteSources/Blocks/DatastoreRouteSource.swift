public import Datastore
public import Routing

/// Learns from a datastore which node has which addresses: from blocks, or from the ranges of nodes that have fixed ones.
///
/// Affinities, pools, nodes and the switches of address management are watched; a block is read when an affinity to it
/// changes. Affinities change only when a block is claimed or given up, so that addresses that other nodes give out from
/// their blocks cost this one nothing. Its own blocks are watched by name, because other nodes may borrow from them.
/// Addresses borrowed from other nodes' blocks are found by a slow listing, and not looked for under strict affinity.
///
/// The block itself says whose it is, whatever affinities say. What is malformed is left out, or stays as it was
/// last understood, and is told of as ``RouteSourceEvent/fault(object:reason:)``.
public final class DatastoreRouteSource: RouteSource {
  private let store: any Datastore
  private let nodeName: String
  private let mode: RoutingConfiguration.Mode
  private let options: RouteSourceOptions
  private let refreshes = RefreshSignal()

  /// A source.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - nodeName: the node that routes are for.
  ///   - mode: what says which node has which addresses.
  ///   - options: when it looks.
  public init(
    _ store: any Datastore, nodeName: String, mode: RoutingConfiguration.Mode = .blocks,
    options: RouteSourceOptions = RouteSourceOptions()
  ) {
    self.store = store
    self.nodeName = nodeName
    self.mode = mode
    self.options = options
  }

  public func refresh() { refreshes.raise() }

  public func run(_ tell: @escaping @Sendable (RouteSourceEvent) -> Bool) async {
    var pause = RetryPause(options)
    var isInterrupted = false
    var faults: [String: String] = [:]
    while !Task.isCancelled {
      let session = DatastoreSession(
        store, BlockTopology(nodeName: nodeName, mode), options, refreshes, toldFaults: faults, tell)
      let begin = Deadline.now
      do {
        let end = try await session.run()
        guard case .refresh = end else { return }
        faults = await session.faults
        isInterrupted = false
        pause.reset()
      } catch {
        if Task.isCancelled { return }
        faults = await session.faults
        if await session.hasBegun {
          isInterrupted = false
          // One that breaks off again and again soon after it began is no better than one that does not begin.
          let lived = Duration.nanoseconds(Deadline.now.nanoseconds - begin.nanoseconds)
          if lived > options.longestPause { pause.reset() }
        }
        if !isInterrupted {
          isInterrupted = true
          guard tell(.interrupted("\(error)")) else { return }
        }
        do { try await options.sleep(pause.take()) } catch { return }
      }
    }
  }
}
