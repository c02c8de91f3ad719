import CNI
import FileSystem
public import IPAM
public import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Gives addresses from configured ranges and keeps them as files below one directory, as the original does.
public struct HostLocalBackend: IPAMBackend {
  let configuration: HostLocalConfiguration
  let surroundings: StoreSurroundings

  /// A backend for one network.
  ///
  /// - Parameters:
  ///   - configuration: the network's configuration.
  ///   - releaseElsewhere: releases what the attachment of a DEL holds under another strategy; called only when that
  ///     strategy was in use for this network.
  ///   - findElsewhere: whether the attachment of a CHECK holds what it should under the other strategy; called only when
  ///     that was in use, and there is nothing here.
  ///   - log: takes warnings, a line each.
  public init(
    _ configuration: HostLocalConfiguration,
    releaseElsewhere: @escaping @Sendable () -> Void = {},
    findElsewhere: @escaping @Sendable () -> Bool = { false },
    log: @escaping @Sendable (String) -> Void
  ) {
    let surroundings = StoreSurroundings(releaseElsewhere: releaseElsewhere, findElsewhere: findElsewhere, log: log)
    self.init(configuration, surroundings: surroundings)
  }

  init(_ configuration: HostLocalConfiguration, surroundings: StoreSurroundings) {
    self.configuration = configuration
    self.surroundings = surroundings
  }

  /// Gives one address of each range set, all of them or none.
  ///
  /// - Throws: ``HostLocalError``; then nothing that this call took is kept.
  public func assign(_ request: AssignmentRequest) async throws -> Assignment {
    var dns = DNSConfiguration()
    if let path = configuration.resolverFile { dns = try ResolverFile.read(path) }
    var store = try openStore()
    try refuseForeignAddresses()
    var ledger = BootLedger(of: configuration, &store)
    var pending = configuration.requestedAddresses
    for address in request.addresses where !pending.contains(address) { pending.append(address) }
    var taken: [IPAddress] = []
    do {
      var addresses: [AssignedAddress] = []
      for (index, set) in configuration.rangeSets.enumerated() {
        let requested = pending.firstIndex(where: set.contains).map { pending.remove(at: $0) }
        var allocation = Allocation(
          set: set, index: index, attachment: request.attachment, options: configuration.options)
        do throws(HostLocalError) {
          addresses.append(try allocation.perform(requested, &store, &ledger))
        } catch {
          taken += allocation.taken
          throw error.prefixed("failed to allocate for range \(index): ")
        }
        taken += allocation.taken
      }
      guard pending.isEmpty else {
        let list = pending.map(\.description).joined(separator: " ")
        throw HostLocalError(.requestRefused, "failed to allocate all requested IPs: \(list)")
      }
      store.finish()
      return Assignment(addresses: addresses, routes: configuration.routes, dns: dns)
    } catch {
      // Only what this call took: an earlier address of the attachment may be in use by a living container.
      for address in taken {
        store.remove(address)
        ledger.forget(address)
      }
      store.finish()
      throw error
    }
  }

  /// Removes every reservation of the attachment, whatever the configured ranges are.
  ///
  /// Old-format entries of the container go when there is no exact one; upstream does so once for each set.
  ///
  /// - Throws: ``HostLocalError`` when the directory or its lock cannot be had.
  public func release(_ attachment: Attachment) async throws {
    // The lock has been given back: whoever releases there looks here for reservations as well.
    if try releaseReservations(of: attachment) { surroundings.releaseElsewhere() }
  }

  /// - Returns: whether the other strategy was in use. That counts while the lock is held: later its addresses may have
  ///   been handed over, to where this call has looked already.
  private func releaseReservations(of attachment: Attachment) throws(HostLocalError) -> Bool {
    var store = try openStore()
    let isMarked = marker.exists
    var ledger = BootLedger(of: configuration, &store)
    for _ in configuration.rangeSets {
      let holdings = try store.holdings(of: attachment)
      guard !holdings.isEmpty else { break }
      let exact = holdings.filter { !$0.isOldFormat }
      for holding in exact.isEmpty ? holdings : exact where store.remove(holding) {
        if let address = holding.address { ledger.forget(address) }
      }
    }
    ledger.forgetFormer(attachment)
    store.finish()
    return isMarked
  }

  /// Finds any reservation of the attachment, or an old-format one of its container; failing that, what it got while the
  /// network was configured for the other strategy. Which addresses the runtime expects is not looked at, as upstream
  /// does not.
  ///
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/notFound`` when there is none.
  public func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws {
    // The lock has been given back: whoever looks there looks here as well.
    let (isReserved, isMarked) = try look(for: attachment)
    if !isReserved, !(isMarked && surroundings.findElsewhere()) {
      throw HostLocalError(
        .notFound,
        "host-local: Failed to find address added by container \(attachment.containerID)"
      )
    }
  }

  /// Whether an attachment has a reservation, and at the same moment whether the other strategy was in use.
  private func look(for attachment: Attachment) throws(HostLocalError) -> (isReserved: Bool, isMarked: Bool) {
    var store = try openStore()
    let isReserved = try !store.holdings(of: attachment).isEmpty
    let isMarked = !isReserved && marker.exists
    store.finish()
    return (isReserved, isMarked)
  }

  private func openStore() throws(HostLocalError) -> ReservationStore {
    let path = configuration.networkDirectory
    guard let store = try ReservationStore.open(path, creating: true, surroundings: surroundings) else {
      // A missing directory was made, so it can only have been removed again in the meantime.
      throw .system("open", path, ENOENT)
    }
    return store
  }
}
