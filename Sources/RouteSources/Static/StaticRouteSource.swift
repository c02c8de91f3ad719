public import JSON
public import Routing

/// Learns from a list in a file which node has which addresses.
///
/// The list is looked at again and again. A new version takes the place of the old one as a whole; one that is broken is
/// told of as a fault, and the one before it holds.
public final class StaticRouteSource: RouteSource {
  private let name: String
  private let mode: RoutingConfiguration.Mode
  private let interval: Duration
  private let read: @Sendable () throws -> JSON?
  private let sleep: @Sendable (Duration) async throws -> Void
  private let refreshes = RefreshSignal()

  /// A source.
  ///
  /// - Parameters:
  ///   - name: what people call the list: the file's path.
  ///   - mode: what routes are computed from.
  ///   - interval: how often it is looked at.
  ///   - sleep: waits.
  ///   - read: reads the list; nil when it is as it was at the last call. An error, thrown or found in the list, is asked
  ///     for again at the next look, so that a version that nobody has seen is never taken for one that was.
  public init(
    name: String, mode: RoutingConfiguration.Mode = .blocks, interval: Duration = .seconds(1),
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    read: @escaping @Sendable () throws -> JSON?
  ) {
    self.name = name
    self.mode = mode
    self.interval = interval
    self.sleep = sleep
    self.read = read
  }

  public func refresh() { refreshes.raise() }

  public func run(_ tell: @escaping @Sendable (RouteSourceEvent) -> Bool) async {
    var known: Topology?
    var fault: String?
    var isInterrupted = false
    while !Task.isCancelled {
      let isAsked = refreshes.take()
      var found = fault
      do {
        if let document = try read() {
          found = nil
          let topology = try StaticNodeList(document, mode: mode).topology
          if topology != known || isInterrupted {
            known = topology
            guard tell(.snapshot(topology)) else { return }
            isInterrupted = false
          } else if isAsked {
            guard tell(.snapshot(topology)) else { return }
          }
        } else if isAsked, let known {
          guard tell(.snapshot(known)) else { return }
        }
      } catch {
        found = "\(error)"
      }
      if found != fault {
        fault = found
        guard tell(.fault(object: name, reason: found)) else { return }
        // Without any version that could hold there is nothing to go on.
        if known == nil, let found, !isInterrupted {
          isInterrupted = true
          guard tell(.interrupted(found)) else { return }
        }
      }
      if await wait() == false { return }
    }
  }

  /// Waits for the next look, or until one is asked for.
  ///
  /// - Returns: false when the task is cancelled.
  private func wait() async -> Bool {
    let (sleep, interval, refreshes) = (sleep, interval, refreshes)
    await withTaskGroup(of: Void.self) { group in
      // Its failure is the cancellation that is asked about below.
      group.addTask { try? await sleep(interval) }
      group.addTask { await refreshes.wait() }
      await group.next()
      group.cancelAll()
    }
    return !Task.isCancelled
  }
}
