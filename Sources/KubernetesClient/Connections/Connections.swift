import Datastore
import Synchronization

/// The pool that requests use now, which is replaced when certificates are, or when a connection says nothing more.
final class Connections: Sendable {
  private struct State {
    var pool: ConnectionPool?
    var lookedAt: UInt64
    var isClosed = false
  }

  private let access: ServerAccess
  private let traffic: Traffic
  private let now: @Sendable () -> UInt64
  private let state: Mutex<State>
  private static let minute: UInt64 = 60_000_000_000

  /// Reads the certificates; nothing is connected yet.
  ///
  /// - Throws: ``KubernetesTransportError`` with the code `settings`.
  init(
    _ access: ServerAccess, _ traffic: Traffic, now: @escaping @Sendable () -> UInt64 = { Deadline.now.nanoseconds }
  ) throws(KubernetesTransportError) {
    self.access = access
    self.traffic = traffic
    self.now = now
    let material = access.server.usesTLS ? try TLSMaterial(access) : nil
    state = Mutex(State(pool: ConnectionPool(access, material, traffic), lookedAt: now()))
  }

  /// The pool for the next request. Certificates that were replaced in their files count from then on; a look at the
  /// files is taken at most once a minute.
  ///
  /// - Throws: ``KubernetesTransportError`` when the client is closed.
  func current() throws(KubernetesTransportError) -> ConnectionPool {
    let time = now()
    return try state.withLock { state throws(KubernetesTransportError) in
      guard !state.isClosed else {
        throw KubernetesTransportError(.unreachable, "the client of \(access.server.url) has been closed")
      }
      if time - min(time, state.lookedAt) >= Self.minute {
        state.lookedAt = time
        replaceIfRenewed(&state)
      }
      if let pool = state.pool { return pool }
      let pool = ConnectionPool(access, try material(), traffic)
      state.pool = pool
      return pool
    }
  }

  /// Gives up a pool: requests under way go on, the next one makes a connection of its own.
  func retire(_ pool: ConnectionPool) {
    state.withLock { state in
      if state.pool === pool { state.pool = nil }
    }
  }

  /// Looks at the files of certificates now.
  ///
  /// - Returns: whether they were replaced, so that it may be worth asking again.
  func renew() -> Bool {
    let time = now()
    return state.withLock { state in
      state.lookedAt = time
      return replaceIfRenewed(&state)
    }
  }

  func close() async {
    let pool = state.withLock { state in
      defer { state.pool = nil }
      state.isClosed = true
      return state.pool
    }
    await pool?.close()
  }

  private func material() throws(KubernetesTransportError) -> TLSMaterial? {
    access.server.usesTLS ? try TLSMaterial(access) : nil
  }

  /// Files that are half written, or gone, leave what there is.
  @discardableResult
  private func replaceIfRenewed(_ state: inout State) -> Bool {
    guard let pool = state.pool, let material = pool.material, TLSMaterial.stamps(access) != material.stamps,
      let renewed = try? TLSMaterial(access)
    else { return false }
    state.pool = ConnectionPool(access, renewed, traffic)
    return true
  }
}
