import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import HostLocal
import IPAM
import IPAddressing

/// Takes the reservations of host-local over: each address is assigned to its container in the datastore, and then its
/// file goes (front-end specification, section 1.12).
///
/// What is cut off goes on where it stopped when it is run again. The lock of the reservations is held throughout, so
/// host-local neither reserves nor releases in between.
struct Adoption {
  let network: String
  /// What handles begin with, before the container's ID.
  let handlePrefix: String
  let node: String
  let dataDirectory: String
  let log: @Sendable (String) -> Void

  /// What was done.
  struct Report: Equatable {
    var adopted: [IPAddress] = []
    /// Reservations in no pool, which stay.
    var outside: [IPAddress] = []
  }

  /// Takes over every reservation that lies in a pool.
  ///
  /// - Parameter store: the datastore.
  /// - Returns: what was done.
  /// - Throws: `HostLocalError`, or an error of the engine or the store; what was adopted before stays adopted.
  func run<Store: Datastore>(_ store: Store) async throws -> Report {
    let opened = try LockedReservations.open(
      network: network, dataDirectory: dataDirectory, creating: false, log: log)
    guard var reservations = opened else { return Report() }
    let runner = OperationRunner(store)
    let marker = StrategyMarker(network: network, dataDirectory: dataDirectory)
    var report = Report()
    for (address, content) in try reservations.all() {
      guard let containerID = Self.containerID(content) else { continue }
      if try !marker.networks().contains(where: { $0.contains(address) }) {
        guard let pool = try await pool(of: address, store) else {
          report.outside.append(address)
          continue
        }
        try marker.add(pool)
      }
      try await adopt(address, containerID, runner)
      reservations.remove(address)
      report.adopted.append(address)
    }
    reservations.finish()
    return report
  }

  private func adopt<Store>(
    _ address: IPAddress, _ containerID: String, _ runner: OperationRunner<Store>
  ) async throws {
    let handleID = handlePrefix + "." + containerID
    let time = Surroundings(log: log).now()
    let request = AssignAddress.Request(
      address, handleID: handleID, attributes: ["node": node], host: node, use: nil, time: time)
    do {
      _ = try await runner.run(AssignAddress(request), deadline: .after(milliseconds: 90_000))
    } catch let error as EngineError where error.code == .alreadyExists {
      // An earlier run was cut off between the assignment and the file. Anybody else's address must not be lost here.
      let query = AttributesOfAddress(address, time: time)
      let held = try await runner.run(query, deadline: .after(milliseconds: 90_000))
      guard held.handleID == handleID else {
        throw CalicoFailure(
          "\(address) is reserved by host-local for container \(containerID) and assigned to \(held.handleID ?? "nobody")",
          details:
            "release one of the two: `ipamctl host-local release \(address)` or `ipamctl ipam release --ip=\(address)`")
      }
    }
  }

  private func pool<Store: Datastore>(of address: IPAddress, _ store: Store) async throws -> CIDR? {
    let results = try await store.read(
      [.list(Listing(.resources(.ipPool)))], deadline: .after(milliseconds: 90_000))
    guard case .list(let list)? = results.first else { return nil }
    for item in list.items {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      let pool = try IPPool(decoding: stored.bytes, name: name)
      if pool.isEnabled, let cidr = pool.cidr, cidr.contains(address) { return cidr }
    }
    return nil
  }

  private static func containerID(_ content: ReservationContent) -> String? {
    switch content {
    case .attachment(let containerID, _): String(decoding: containerID, as: UTF8.self)
    case .container(let containerID): String(decoding: containerID, as: UTF8.self)
    case .damaged: nil
    }
  }
}
