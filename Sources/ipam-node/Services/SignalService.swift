import Logging
import Routing
import ServiceLifecycle
import UnixSignals

/// Obeys the signals that do not end the agent: SIGHUP compares everything anew, SIGUSR1 is the operator's word for
/// removals that are held back (routes specification, R-24).
struct SignalService: Service {
  let loop: RoutingLoop
  let source: any RouteSource
  let logger: Logger

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup, .sigusr1)
    for await signal in signals.cancelOnGracefulShutdown() {
      if signal == .sighup {
        logger.info("everything is compared anew, as SIGHUP asks")
        loop.requestResync()
        source.refresh()
      } else {
        logger.notice("removals that are held back are confirmed by SIGUSR1")
        loop.confirmDeletions()
      }
    }
  }
}
