/// What the kernel tells without being asked.
public enum KernelEvent: Hashable, Sendable {
  /// A route is there now; `replacesAnother` when something that had its key is gone without a word of its own.
  case route(Route, replacesAnother: Bool)
  case routeGone(Route)
  case link(Link)
  case linkGone(Link)
  case address(InterfaceAddress)
  case addressGone(InterfaceAddress)
  case neighbour(Neighbour)
  case neighbourGone(Neighbour)
  case nextHop(NextHop)
  case nextHopGone(NextHop)
  /// Events were lost, because nobody read them in time: only a new look at everything helps.
  case overflow
}
