import Logging
import Netlink
import Routing
import ServiceLifecycle

/// Routes until the agent is stopped, and leaves everything in place then.
struct RoutingService: Service {
  let loop: RoutingLoop
  let source: any RouteSource
  let state: AgentState
  /// Seconds until an exchange with the kernel is given up.
  let timeout: Int

  /// No thread can be made for routing.
  struct NoThread: Error, CustomStringConvertible {
    var description: String { "no thread can be made for routing: raise the limits on tasks and memory" }
  }

  func run() async throws {
    let (state, timeout) = (state, timeout)
    let isStarted = loop.start { () throws(NetlinkError) -> (MeteredKernel, events: CInt) in
      let kernel = try MeteredKernel(timeout: timeout) { state.netlink = $0 }
      return (kernel, kernel.eventDescriptor)
    }
    guard isStarted else { throw NoThread() }
    let loop = loop
    await cancelWhenGracefulShutdown {
      await source.run { event in
        state.told(event)
        return loop.tell(event)
      }
    }
    loop.stop()
  }
}
