import CNI
import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import HostLocal
import IPAM
import IPAddressing
import SQLiteDatastore

/// The Calico strategy on a host where host-local may have given addresses of the same network out before, and may do so
/// again: nobody is given an address that a container has from the other side.
struct SwitchingBackend: IPAMBackend {
  private let calico: CalicoBackend<RecordingStore>
  private let configuration: CalicoConfiguration
  private let streams: CNIStreams

  init(_ invocation: CNIInvocation, _ configuration: CalicoConfiguration) throws(CalicoFailure) {
    self.configuration = configuration
    streams = invocation.streams
    calico = try CalicoBackend(
      invocation, surroundings: Surroundings(log: invocation.streams.log)
    ) { configuration, access in
      RecordingStore(configuration, access, invocation)
    }
  }

  func assign(_ request: AssignmentRequest) async throws -> Assignment {
    if configuration.adoptsHostLocal {
      let adoption = Adoption(
        network: configuration.networkName, node: NodeName.find(configuration, log: streams.log),
        dataDirectory: configuration.hostLocalDirectory, log: streams.log)
      let report = try await adoption.run(SQLiteDatastore(path: configuration.databaseFile))
      if let kept = report.kept.first {
        throw CalicoFailure(
          "cannot adopt \(report.kept.count) host-local reservation(s) of network \(configuration.networkName), such "
            + "as \(kept.address)", details: kept.reason)
      }
    }
    do {
      return try await calico.assign(request)
    } catch let failure as CalicoFailure where failure.isExhaustion && configuration.releasesAfterReboot {
      guard try await releaseEarlierBoots() else { throw failure }
      return try await calico.assign(request)
    }
  }

  /// Releases what earlier boots of this machine left, now that it is needed.
  ///
  /// - Returns: whether there was anything.
  private func releaseEarlierBoots() async throws -> Bool {
    let deadline = Deadline.after(milliseconds: 90_000)
    let store = SQLiteDatastore(path: configuration.databaseFile)
    let collection = EarlierBootCollection(network: configuration.networkName, store: store, log: streams.log)
    let handles = try await collection.handles(deadline: deadline)
    guard !handles.isEmpty else { return false }
    try await calico.release(handles: handles)
    for handle in handles {
      try await store.forget(handle, deadline: deadline)
      streams.log("released the addresses of \(handle), which an earlier boot left")
    }
    return true
  }

  /// Looks for reservations before and after: `-upgrade` moves an address from there to the datastore and
  /// `ipamctl host-local adopt` moves it back, each while this call may be at work.
  func release(_ attachment: Attachment) async throws {
    try releaseReservations(of: attachment)
    try await calico.release(attachment)
    try releaseReservations(of: attachment)
  }

  /// Removes what the container got while the network was configured for host-local.
  private func releaseReservations(of attachment: Attachment) throws {
    let reservations = try LockedReservations.open(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory, creating: false,
      log: streams.log)
    guard var reservations else { return }
    try reservations.remove(heldBy: attachment)
    reservations.finish()
  }

  func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws {
    do {
      try await calico.check(attachment, expecting: addresses)
    } catch let failure as CalicoFailure where failure.code == .doesNotExist {
      // What host-local gave stays valid, adopted or not. It may have been adopted since the first look.
      if try !hasReservation(attachment) { try await calico.check(attachment, expecting: addresses) }
    }
  }

  private func hasReservation(_ attachment: Attachment) throws -> Bool {
    let reservations = try LockedReservations.open(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory, creating: false,
      log: streams.log)
    guard var reservations else { return false }
    let isReserved = try reservations.hasReservation(of: attachment)
    reservations.finish()
    return isReserved
  }

  func collect(keeping valid: Set<Attachment>) async throws {
    try await calico.collect(keeping: valid)
  }

  func status() async throws {
    try await calico.status()
  }
}
