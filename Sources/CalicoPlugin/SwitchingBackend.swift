public import CNI
public import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import HostLocal
public import IPAM
public import IPAddressing

/// The Calico strategy on a host where host-local may have given addresses of the same network out before, and may do so
/// again: nobody is given an address that a container has from the other side.
public struct SwitchingBackend<Store: PluginDatastore>: IPAMBackend {
  private let calico: CalicoBackend<SeparatedStore<Store>>
  private let configuration: CalicoConfiguration
  private let streams: CNIStreams
  private let openStore: @Sendable (StoreAccess) throws -> Store

  /// A backend for one call.
  ///
  /// - Parameters:
  ///   - invocation: the call.
  ///   - configuration: what its configuration says.
  ///   - surroundings: clock, log and the like; nil for those of the process.
  ///   - openStore: opens the store when a verb first needs it.
  /// - Throws: ``CalicoFailure`` when configuration or arguments are malformed, or ask for what the store does not have.
  public init(
    _ invocation: CNIInvocation, _ configuration: CalicoConfiguration, surroundings: Surroundings? = nil,
    openStore: @escaping @Sendable (StoreAccess) throws -> Store
  ) throws(CalicoFailure) {
    self.configuration = configuration
    self.openStore = openStore
    streams = invocation.streams
    let giver = invocation.verb == .add || invocation.verb == .status
    if giver, configuration.releasesAfterReboot, !Store.keepsEvidence {
      throw CalicoFailure(
        "ipam.releaseAfterReboot needs datastore_type \"sqlite\", which keeps a record of each attachment's boot",
        details: "remove ipam.releaseAfterReboot: with datastore_type \"\(configuration.datastoreType.rawValue)\" "
          + "`ipamctl ipam gc` or kube-controllers release what a node left")
    }
    calico = try CalicoBackend(
      invocation, configuration, surroundings: surroundings ?? Surroundings(log: invocation.streams.log)
    ) { configuration, access in
      SeparatedStore(try openStore(access), configuration, invocation)
    }
  }

  public func assign(_ request: AssignmentRequest) async throws -> Assignment {
    if configuration.adoptsHostLocal {
      let adoption = Adoption(
        network: configuration.networkName, node: NodeName.find(configuration, log: streams.log),
        dataDirectory: configuration.hostLocalDirectory, log: streams.log)
      let report = try await adoption.run(openStore(.writing))
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
    let store = try openStore(.writing)
    let network = configuration.networkName
    let handles = try await store.handlesOfEarlierBoots(network: network, deadline: deadline)
    // The evidence of a handle goes with the handle, in the transaction that deletes it.
    let count = try await calico.release(handles: handles) {
      try await store.handlesOfEarlierBoots(network: network, deadline: deadline)
    }
    if count > 0 { streams.log("released \(count) address(es) that an earlier boot left") }
    return count > 0
  }

  /// How often a release is begun: once more for each time the address was moved meanwhile.
  private static var releases: Int { 10 }

  /// Releases what the container has on either side. It is over when both have been seen empty under the lock of the
  /// reservations, without which neither `-upgrade` nor `ipamctl host-local adopt` moves anything.
  public func release(_ attachment: Attachment) async throws {
    for _ in 0..<Self.releases {
      try await calico.release(attachment)
      if try await isReleased(attachment) { return }
    }
    throw CalicoFailure(
      "the address of container \(attachment.containerID) is moved between host-local and calico-ipam all the time",
      details: "end what runs `calico-ipam -upgrade` or `ipamctl host-local adopt` again and again")
  }

  /// Removes what the container got while the network was configured for host-local.
  ///
  /// - Returns: whether nothing has come back to the datastore. The lock is not held while that is written, because
  ///   whoever writes has the host's lock first.
  private func isReleased(_ attachment: Attachment) async throws -> Bool {
    let reservations = try LockedReservations.open(
      network: configuration.networkName, dataDirectory: configuration.hostLocalDirectory, creating: false,
      log: streams.log)
    // Without a directory nothing was ever moved.
    guard var reservations else { return true }
    try reservations.remove(heldBy: attachment)
    let isGone = try await !calico.hasAddresses()
    reservations.finish()
    return isGone
  }

  public func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws {
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

  public func collect(keeping valid: Set<Attachment>) async throws {
    try await calico.collect(keeping: valid)
  }

  public func status() async throws {
    try await calico.status()
  }
}
