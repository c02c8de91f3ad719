import IPAddressing
import JSON
import Netlink
import Routing
import Terminal

/// One destination as it is shown.
struct RouteRow {
  /// How the kernel's route compares; nil when the kernel that has it, or has it not, is another machine's.
  var state: PlannedRoute.State?
  var key: RouteKey
  /// A gateway, or what becomes of packets without one.
  var nextHop: String
  var device: String?
  /// The node that packets are for.
  var node: String?
  /// What says so.
  var block: CIDR?
  var reason: String
  /// What the kernel has.
  var actual: Route?

  /// What should be there against what is.
  init(_ route: PlannedRoute, reasons: [CIDR: String]) {
    state = route.state
    key = route.key
    nextHop = route.desired.map { $0.path.words } ?? route.actual.map(\.words) ?? "-"
    device = route.interface
    node = route.desired?.owner
    block = route.desired?.claim
    actual = route.actual
    reason =
      switch route.state {
      case .stale: "nothing says that it should be there"
      case .held: "\(route.holder ?? "somebody else") has the destination"
      case .present, .missing, .different: Self.reason(route.desired, route.key, reasons)
      }
  }

  /// What should be there, on a machine that cannot be asked what is.
  init(_ key: RouteKey, _ route: DesiredRoute, device: String?, reasons: [CIDR: String]) {
    self.key = key
    self.device = device
    nextHop = route.path.words
    node = route.owner
    block = route.claim
    reason = Self.reason(route, key, reasons)
  }

  private static func reason(_ route: DesiredRoute?, _ key: RouteKey, _ reasons: [CIDR: String]) -> String {
    if route?.path == .unreachable { return "what no block of the pool has is refused" }
    return reasons[key.destination] ?? "-"
  }

  /// The cells of the table, without the state.
  var cells: [String] {
    [
      "\(key.destination)", nextHop, device ?? "-", node.flatMap { $0.isEmpty ? nil : PrintableText.of($0) } ?? "-",
      block.map { "\($0)" } ?? "-", PrintableText.of(reason),
    ]
  }

  var document: JSON {
    [
      "destination": .string("\(key.destination)"),
      "state": state.map { .string($0.rawValue) } ?? .null,
      "metric": .number(JSONNumber(key.metric)),
      "nextHop": .string(nextHop),
      "device": device.map { .string($0) } ?? .null,
      "node": node.flatMap { $0.isEmpty ? nil : .string($0) } ?? .null,
      "block": block.map { .string("\($0)") } ?? .null,
      "actual": actual.map { route in
        ["nextHop": .string(route.words), "protocol": .number(JSONNumber(route.origin.rawValue))]
      } ?? .null,
      "reason": .string(reason),
    ]
  }
}

extension DesiredRoute.Path {
  /// The gateway, or what becomes of packets without one.
  fileprivate var words: String {
    switch self {
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .hop(_, let gateway, _): gateway.map { "\($0)" } ?? "direct"
    }
  }
}

extension Route {
  /// The gateway, or what becomes of packets without one.
  fileprivate var words: String {
    switch kind {
    case .blackhole: "blackhole"
    case .unreachable: "unreachable"
    case .prohibit: "prohibit"
    default: hop?.gateway.map { "\($0)" } ?? "direct"
    }
  }
}
