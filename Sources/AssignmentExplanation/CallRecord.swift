import CalicoBackend
import Synchronization

/// What a call says of itself while it goes on.
final class CallRecord: Sendable {
  private let state = Mutex<(calls: [CallDecision], warnings: [String])>(([], []))

  func note(_ decision: CallDecision) { state.withLock { $0.calls.append(decision) } }

  func note(_ warning: String) { state.withLock { $0.warnings.append(warning) } }

  var calls: [CallDecision] { state.withLock { $0.calls } }

  var warnings: [String] { state.withLock { $0.warnings } }
}
