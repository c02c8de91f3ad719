public import CalicoEngine
public import Datastore

/// Carries out operations of the engine on a store: reads what they ask for, commits what they plan, and lets time pass
/// between attempts that met a conflict. Nothing but this repeats anything.
public struct OperationRunner<Store: Datastore>: Sendable {
  public let store: Store
  /// How long the taking back of an unsuccessful commit may last, whatever the operation's own deadline: 30 s
  /// (Calico IPAM specification, section 0.2).
  private static var compensationMilliseconds: UInt64 { 30_000 }

  private let monotonic: @Sendable () -> UInt64
  private let explain: (@Sendable ([Decision]) -> Void)?

  /// A runner on a store.
  ///
  /// - Parameters:
  ///   - store: the store.
  ///   - monotonic: a clock that only goes forward, in nanoseconds.
  ///   - explain: takes the decisions of each operation when it has ended, well or not; nil when nobody wants them.
  public init(
    _ store: Store, monotonic: @escaping @Sendable () -> UInt64 = { Deadline.now.nanoseconds },
    explain: (@Sendable ([Decision]) -> Void)? = nil
  ) {
    self.store = store
    self.monotonic = monotonic
    self.explain = explain
  }

  /// Carries out one operation.
  ///
  /// - Parameters:
  ///   - operation: what to do.
  ///   - deadline: when to give up.
  /// - Returns: the operation's result.
  /// - Throws: `EngineError` when the operation cannot be done, `DatastoreError` when the store fails. What an
  ///   unsuccessful commit left has then been taken back, as far as the store could be reached.
  public func run<Op: Operation>(_ operation: Op, deadline: Deadline) async throws -> Op.Result {
    var execution = Execution(operation, recordsDecisions: explain != nil)
    defer { explain?(execution.decisions) }
    var step = execution.next()
    var compensationDeadline: Deadline?
    var conflicts = 0
    var failure: (any Error)?
    let begin = monotonic()
    while true {
      execution.elapsed = Int64(truncatingIfNeeded: monotonic() &- begin)
      var limit = deadline
      if execution.isCompensating {
        compensationDeadline = compensationDeadline ?? .after(milliseconds: Self.compensationMilliseconds)
        limit = max(deadline, compensationDeadline ?? deadline)
      }
      do {
        switch step {
        case .read(let reads):
          step = execution.resume(with: try await store.read(reads, deadline: limit))
        case .commit(let plan):
          if execution.conflicts > conflicts {
            conflicts = execution.conflicts
            try await pause(after: conflicts, limit)
          }
          step = execution.resume(with: try await store.commit(plan, deadline: limit))
        case .done(let result): return result
        case .failed(let error): throw failure ?? error
        }
      } catch {
        // A failure to take something back changes nothing about what the operation came to.
        if step.isLast { throw error }
        if !execution.isCompensating { failure = error }
        step = execution.abandon()
      }
    }
  }

  /// Waits a little longer after each conflict, up to 20 ms, and never as long as the others that met it.
  private func pause(after conflicts: Int, _ deadline: Deadline) async throws {
    if deadline.hasPassed { throw DatastoreError(.unavailable, "context deadline exceeded") }
    let limit = min(UInt64(conflicts) * 1_000_000, 20_000_000)
    Pause.sleep(nanoseconds: UInt64.random(in: 0...limit))
  }
}

extension Step {
  fileprivate var isLast: Bool {
    switch self {
    case .read, .commit: false
    case .done, .failed: true
    }
  }
}
