import Glibc
import IPAddressing
import Netlink
import Routing

// Flips one route between two next hops through the agent's own reconciling, as fast as it goes.
//
//   RouteFlips COUNT UNDERLAY DESTINATION GATEWAY GATEWAY
//
// UNDERLAY is an address of the interface that both gateways are on. When the route is there it prints a line and waits
// for one on stdin; then it flips, and prints the nanoseconds that one flip took on average.

/// What was asked for on the command line.
struct Request {
  let count: Int
  let underlay: IPAddress
  let destination: CIDR
  let gateways: [IPAddress]

  init?(_ arguments: [String]) {
    guard arguments.count == 6, let count = Int(arguments[1]), count > 0,
      let underlay = IPAddress(arguments[2]), let destination = CIDR(arguments[3]),
      let first = IPAddress(arguments[4]), let second = IPAddress(arguments[5])
    else { return nil }
    self.count = count
    self.underlay = underlay
    self.destination = destination
    gateways = [first, second]
  }
}

/// A route that can be led elsewhere, in this thread's network namespace.
struct FlippingRoute {
  let request: Request
  private let configuration = RoutingConfiguration(nodeName: "self")
  private let reconciler: Reconciler<NetlinkKernel>

  init(_ request: Request) throws {
    self.request = request
    let kernel = try NetlinkKernel()
    reconciler = Reconciler(configuration, kernel: kernel, kernelVersion: nil, seed: 1)
    reconciler.setUnderlay(request.underlay, request.underlay.family)
    try reconciler.start(at: .now)
    lead(to: 0)
    reconciler.receivedEverything()
  }

  /// Makes one of the gateways the desired one.
  func lead(to index: Int) {
    let path = DesiredRoute.Path.hop(
      .parent(request.underlay.family), gateway: request.gateways[index], isOnLink: true)
    let route = DesiredRoute(path, owner: "node-\(index)", claim: request.destination)
    reconciler.receive(DesiredChanges(routes: [configuration.key(request.destination): route]))
  }

  /// Lets the kernel follow; false when it does not.
  func program() -> Bool {
    let report = reconciler.pass(at: .now)
    return report.changes == 1 && report.refusals == 0
  }
}

func end(_ message: String) -> Never {
  print("RouteFlips: \(message)")
  exit(1)
}

guard let request = Request(CommandLine.arguments) else { end("COUNT UNDERLAY DESTINATION GATEWAY GATEWAY") }
do {
  let route = try FlippingRoute(request)
  guard route.program() else { end("the kernel did not take the route to \(request.destination)") }
  print("ready")
  fflush(nil)
  _ = readLine()
  let duration = ContinuousClock().measure {
    for number in 1...request.count {
      route.lead(to: number % 2)
      guard route.program() else { end("flip \(number) was not one change") }
    }
  }
  print(Int(duration / .nanoseconds(1)) / request.count)
} catch {
  end("\(error)")
}
