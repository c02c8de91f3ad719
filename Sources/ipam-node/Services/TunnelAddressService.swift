import CalicoBackend
import Logging
import Routing
import ServiceLifecycle

/// Gives this node its addresses on tunnels, and keeps them as the pools want them.
struct TunnelAddressService: Service {
  let addresses: TunnelAddresses<MeteredDatastore>
  let conditions: ConditionBoard
  let logger: Logger

  func run() async throws {
    let (conditions, logger) = (conditions, logger)
    await cancelWhenGracefulShutdown {
      await addresses.run { event in
        let subject = Condition.Subject(.tunnelAddress, "this node")
        switch event {
        case .reconciled(let report):
          for change in report.changes { logger.info("\(change)") }
          conditions.update([subject: nil])
        case .failed(let reason): conditions.update([subject: Condition(reason)])
        }
        return true
      }
    }
  }
}
