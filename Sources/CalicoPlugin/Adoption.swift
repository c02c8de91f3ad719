import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import HostLocal
import IPAM
public import IPAddressing

/// Takes the reservations of host-local over: each address is assigned to its container in the datastore, and then its
/// file goes (front-end specification, section 1.12).
///
/// What is cut off goes on where it stopped when it is run again. The lock of the reservations is held throughout, so
/// host-local neither reserves nor releases in between. Their directory stays, unlike upstream's: its lock is where the
/// two strategies meet.
public struct Adoption: Sendable {
  let network: String
  let node: String
  let dataDirectory: String
  let log: @Sendable (String) -> Void

  /// The taking over of a network's reservations.
  ///
  /// - Parameters:
  ///   - network: the network's name.
  ///   - node: the node's name.
  ///   - dataDirectory: where host-local keeps its reservations.
  ///   - log: takes warnings, a line each.
  public init(network: String, node: String, dataDirectory: String, log: @escaping @Sendable (String) -> Void) {
    self.network = network
    self.node = node
    self.dataDirectory = dataDirectory
    self.log = log
  }

  /// What was done.
  public struct Report: Equatable, Sendable {
    /// A reservation that stays although it lies in a pool.
    public struct Kept: Equatable, Sendable {
      public var address: IPAddress
      public var reason: String
    }

    public var adopted: [IPAddress] = []
    /// Reservations in no enabled pool, which stay.
    public var outside: [IPAddress] = []
    public var kept: [Kept] = []

    public init() {}
  }

  private static let patience: UInt64 = 90_000

  /// Takes over every reservation that lies in a pool.
  ///
  /// - Parameter store: the datastore.
  /// - Returns: what was done.
  /// - Throws: `HostLocalError`, or an error of the store; what was adopted before stays adopted.
  public func run(_ store: some PluginDatastore) async throws -> Report {
    let opened = try LockedReservations.open(
      network: network, dataDirectory: dataDirectory, creating: false, log: log)
    var report = Report()
    guard var reservations = opened, !reservations.isEmpty else { return report }
    let pools = try await enabledPools(store)
    let marker = StrategyMarker(network: network, dataDirectory: dataDirectory)
    var marked = try marker.networks()
    for (address, content) in try reservations.all() {
      guard let pool = pools.first(where: { $0.contains(address) }) else {
        report.outside.append(address)
        continue
      }
      if !marked.contains(where: { $0.contains(pool) }) {
        try marker.add(pool)
        marked.append(pool)
      }
      var obstacle = try await adopt(address, content, store)
      if obstacle == nil, !reservations.remove(address) { obstacle = "its file cannot be removed" }
      if let obstacle {
        report.kept.append(Report.Kept(address: address, reason: obstacle))
      } else {
        report.adopted.append(address)
      }
    }
    reservations.finish()
    return report
  }

  /// Assigns one address to its container.
  ///
  /// - Returns: nil when the container has it, or else why not.
  private func adopt(
    _ address: IPAddress, _ content: ReservationContent, _ store: some PluginDatastore
  ) async throws -> String? {
    guard let holder = content.holder else {
      return "it names no container: `ipamctl host-local release \(address) --network \(network)` removes it"
    }
    let time = Surroundings(log: log).now()
    let handleID = network + "." + holder.containerID
    let runner = OperationRunner(AdoptingStore(store: store, occasion: .adoption(holder, network: network)))
    let request = AssignAddress.Request(
      address, handleID: handleID, attributes: ["node": node], host: node, use: nil, time: time)
    do {
      _ = try await runner.run(AssignAddress(request), deadline: .after(milliseconds: Self.patience))
      return nil
    } catch let error as EngineError where error.code == .alreadyExists {
      // An earlier run was cut off between the assignment and the file. Anybody else's address must not be lost here.
      let owner = try await owner(of: address, runner, time)
      if owner == handleID { return nil }
      return "host-local reserved it for container \(holder.containerID), and it is assigned to \(owner ?? "nobody"): "
        + "release one of the two, with `ipamctl host-local release \(address) --network \(network)` or "
        + "`ipamctl ipam release --ip=\(address)`"
    } catch let error as EngineError where error.code != .contention {
      return error.advice.isEmpty ? error.description : "\(error.description) (\(error.advice))"
    }
  }

  /// The handle that has an address; nil when nobody has it, as while it cools down.
  private func owner(
    of address: IPAddress, _ runner: OperationRunner<some Datastore>, _ time: Timestamp
  ) async throws -> String? {
    do {
      let query = AttributesOfAddress(address, time: time)
      return try await runner.run(query, deadline: .after(milliseconds: Self.patience)).handleID
    } catch let error as EngineError where error.code == .doesNotExist || error.code == .coolingDown {
      return nil
    }
  }

  private func enabledPools(_ store: some PluginDatastore) async throws -> [CIDR] {
    let results = try await store.read(
      [.list(Listing(.resources(.ipPool)))], deadline: .after(milliseconds: Self.patience))
    guard case .list(let list)? = results.first else { return [] }
    return list.items.compactMap { item in
      guard case .resource(_, let name) = item.key, let stored = item.stored,
        // A pool that cannot be read gives no addresses either.
        let pool = try? IPPool(decoding: stored.bytes, name: name), pool.isEnabled
      else { return nil }
      return pool.cidr
    }
  }
}

/// A datastore that commits on behalf of a container whose reservation is taken over.
private struct AdoptingStore<Store: PluginDatastore>: Datastore {
  let store: Store
  let occasion: CommitOccasion

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await store.commit(plan, on: occasion, deadline: deadline)
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }
}
