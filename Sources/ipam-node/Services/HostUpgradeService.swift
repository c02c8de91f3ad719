import Logging
import Routing
import ServiceLifecycle

/// Brings what the datastore has of this node up to date once, at the start; again and again until it is done.
struct HostUpgradeService: Service {
  /// The longest pause between attempts, in seconds.
  private static let longestPause = 60

  let upgrade: HostUpgrade
  let conditions: ConditionBoard
  let logger: Logger
  var pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

  func run() async throws {
    await cancelWhenGracefulShutdown { await attempt() }
    // A service that ends before it is told to ends them all.
    try await gracefulShutdown()
  }

  func attempt() async {
    let subject = Condition.Subject(.datastore, "affinities of this node")
    var seconds = 1
    while !Task.isCancelled {
      do {
        let count = try await upgrade.run()
        if count > 0 { logger.info("\(count) affinities of this node were labelled") }
        conditions.update([subject: nil])
        return
      } catch {
        conditions.update([subject: Condition("the affinities of this node cannot be labelled: \(error)")])
      }
      do { try await pause(.seconds(seconds)) } catch { return }
      seconds = min(Self.longestPause, seconds * 2)
    }
  }
}
