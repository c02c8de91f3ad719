import Netlink

/// Holds removals back when they are too many to be believed at once (routes specification, R-24).
///
/// A stale or empty listing of the datastore must not take a node off the network. What would go is only removed when two
/// full listings, some seconds apart, both say so.
struct DeletionValve: Sendable {
  private let settings: RoutingConfiguration.DeletionValve
  /// Since which full listing a removal is asked for.
  private var listedSince: [RouteKey: Moment] = [:]
  private var confirmed: Set<RouteKey> = []
  private var lastRequest: Moment?
  private(set) var isHolding = false

  init(_ settings: RoutingConfiguration.DeletionValve) {
    self.settings = settings
  }

  /// Which of some removals may be made.
  ///
  /// - Parameters:
  ///   - candidates: the routes that are present and not wanted.
  ///   - isLoss: whether one would be missed: not if its destination has another route of ours.
  ///   - present: how many routes of ours there are.
  ///   - areAllBlackholes: whether no blackhole would be left.
  /// - Returns: those that may be made.
  mutating func admit(
    _ candidates: Set<RouteKey>, isLoss: (RouteKey) -> Bool, present: Int, areAllBlackholes: Bool
  ) -> Set<RouteKey> {
    confirmed.formIntersection(candidates)
    let open = candidates.subtracting(confirmed)
    let losses = open.filter(isLoss)
    let limit = max(settings.count, present * settings.percentage / 100)
    isHolding = losses.count > limit || areAllBlackholes && !losses.isEmpty
    guard isHolding else {
      listedSince = [:]
      lastRequest = nil
      return candidates
    }
    return candidates.subtracting(losses)
  }

  /// Notes that a full listing arrived, after which these routes are still not wanted.
  mutating func listed(_ candidates: Set<RouteKey>, at now: Moment) {
    var since: [RouteKey: Moment] = [:]
    for key in candidates {
      let first = listedSince[key] ?? now
      since[key] = first
      if now - first >= .seconds(settings.confirmationSeconds) { confirmed.insert(key) }
    }
    listedSince = since
    lastRequest = now
  }

  /// Notes that a route is wanted again: an earlier listing says nothing about the next removal.
  mutating func wanted(_ key: RouteKey) {
    listedSince.discard(key)
    confirmed.discard(key)
  }

  /// Takes the operator's word for what is held.
  mutating func override(_ candidates: Set<RouteKey>) {
    confirmed.formUnion(candidates)
  }

  /// When the next full listing is to be asked for, while removals are held.
  func nextRequest(after now: Moment) -> Moment? {
    guard isHolding else { return nil }
    guard let lastRequest else { return now }
    return lastRequest + .seconds(max(settings.confirmationSeconds, 1))
  }

  mutating func requested(at now: Moment) {
    lastRequest = now
  }
}
