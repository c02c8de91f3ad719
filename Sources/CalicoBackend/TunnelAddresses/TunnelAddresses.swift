import CalicoEngine
import CalicoModel
public import Datastore
import IPAddressing

/// Gives a node the addresses of its tunnel devices, from pools and by blocks like the addresses of pods, and writes them
/// into the Node (front-end specification, section 6).
///
/// An address is assigned first and written into the Node then. When the process dies in between, the next one finds the
/// address under its handle and writes that. So do two processes that see to one node at once: the handle may have one
/// address, which both are given.
public struct TunnelAddresses<Store: Datastore>: Sendable {
  let store: Store
  let node: String
  let surroundings: Surroundings
  let encryptsHostTraffic: Bool
  let pause: @Sendable (Duration) async throws -> Void

  /// How often a reconciliation begins anew because others changed the same entries.
  static var attempts: Int { 8 }

  /// What sees to the tunnel addresses of one node.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - node: the node's name.
  ///   - surroundings: clock and log; where hints are kept is of no use here.
  ///   - encryptsHostTraffic: whether WireGuard devices need no address of their own, as Calico's programs learn from
  ///     `FELIX_WIREGUARDHOSTENCRYPTIONENABLED`.
  ///   - pause: waits between attempts.
  public init(
    _ store: Store, node: String, surroundings: Surroundings, encryptsHostTraffic: Bool = false,
    pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.store = store
    self.node = node
    self.surroundings = surroundings
    self.encryptsHostTraffic = encryptsHostTraffic
    self.pause = pause
  }

  /// Brings the node's tunnel addresses into line with the pools.
  ///
  /// To be called when the process begins, and whenever a pool or the node changes; ``run(_:)`` does that. A call that
  /// finds everything as it should be writes nothing.
  ///
  /// - Returns: the addresses, and what was done.
  /// - Throws: ``CalicoFailure``. What was newly assigned has been given back then, unless the Node names it.
  public func reconcile() async throws -> TunnelAddressReport {
    var assigned: [Assigned] = []
    var changes: [String] = []
    for attempt in 1... {
      do {
        var turn = TunnelAddressTurn(self, isLast: attempt == Self.attempts)
        defer {
          assigned += turn.assigned
          changes += turn.changes
        }
        let addresses = try await turn.run()
        // An earlier attempt may have taken what this one had no use for.
        if !assigned.isEmpty { await giveBack(assigned) }
        return TunnelAddressReport(addresses: addresses, changes: changes + turn.changes)
      } catch {
        guard attempt < Self.attempts, Self.isContention(error), !Task.isCancelled else {
          await giveBack(assigned)
          throw Self.failure(error)
        }
      }
      do {
        try await pause(.milliseconds(Int.random(in: 1...20) * attempt))
      } catch {
        await giveBack(assigned)
        throw error
      }
    }
    // The loop has no end but those inside.
    throw CalicoFailure("the tunnel addresses of node \(node) were not reconciled")
  }

  /// An address that was assigned just now.
  struct Assigned: Sendable {
    var kind: TunnelAddressKind
    var address: IPAddress
    var sequenceNumber: UInt64
  }

  var runner: OperationRunner<Store> { OperationRunner(store, monotonic: surroundings.monotonic) }

  var deadline: Deadline { .after(milliseconds: surroundings.milliseconds) }

  var client: ResourceClient {
    // A node is read and updated here; what has to be done when one is deleted is not.
    ResourceClient(
      datastore: store,
      surroundings: ResourceSurroundings(
        now: surroundings.now, pause: pause, releasePoolAffinities: { _ in }, releaseAddresses: { _ in },
        releaseHostAffinities: { _ in }),
      deadline: deadline)
  }

  private static func isContention(_ error: any Error) -> Bool {
    switch error {
    case let error as ResourceError:
      if case .updateConflict = error.code { return true }
      return false
    case let error as CalicoFailure: return error.code == .contention
    case let error as EngineError: return error.code == .contention
    default: return false
    }
  }

  private static func failure(_ error: any Error) -> any Error {
    if let error = error as? ResourceError { return CalicoFailure(error.description) }
    return CalicoFailure.from(error)
  }

  /// Gives back what was newly assigned, unless the Node names it: another process may have found it there.
  private func giveBack(_ assigned: [Assigned]) async {
    if assigned.isEmpty { return }
    do {
      let named = try? await client.get(.node, node)
      let options = assigned.filter { own in named.map { own.kind.text(in: $0) } != own.address.description }.map {
        ReleaseOption($0.address, handleID: $0.kind.handleID(node), sequenceNumber: $0.sequenceNumber)
      }
      if options.isEmpty { return }
      _ = try await runner.run(
        ReleaseAddresses(options, time: surroundings.now()), deadline: .after(milliseconds: 30_000))
    } catch {
      let addresses = assigned.map(\.address.description).joined(separator: ", ")
      surroundings.log("could not give back \(addresses): \(error); the next reconciliation of node \(node) uses them")
    }
  }
}
