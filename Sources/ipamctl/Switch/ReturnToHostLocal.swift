import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import HostLocal
import IPAM
import IPAddressing
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Hands the addresses of a network from the datastore over to host-local, the way back of `calico-ipam -upgrade`: each is
/// reserved for its container, and then released in the datastore.
///
/// Reserved first: an address that is cut off in between has one owner in two places, never none, and neither strategy
/// gives it to anybody else. The next run finds the reservation and goes on. The lock of the reservations is held
/// throughout, so that what a DEL of either type releases is not handed over behind its back.
struct ReturnToHostLocal<Store: Datastore>: Sendable {
  private let network: String
  private let node: String
  private let dataDirectory: String
  private let interfaceName: String
  private let store: Store
  private let evidence: @Sendable () async throws -> [AttachmentEvidence]
  private let log: @Sendable (String) -> Void
  private let surroundings: Surroundings

  /// An assignment in the datastore that has a place on the other side.
  struct Holding: Hashable, Sendable {
    var address: IPAddress
    var containerID: String
    var interfaceName: String
    let handleID: String
    let sequenceNumber: UInt64?
  }

  /// An assignment of the network that stays where it is.
  struct Kept: Hashable, Sendable {
    var address: IPAddress
    var reason: String
  }

  /// What the datastore has of the network.
  struct Survey: Hashable, Sendable {
    var movable: [Holding] = []
    var kept: [Kept] = []

    var isEmpty: Bool { movable.isEmpty && kept.isEmpty }
  }

  /// What was done.
  struct Report: Hashable, Sendable {
    var moved: [Holding] = []
    var kept: [Kept] = []
    /// Whether host-local may give out the addresses of the pools again.
    var isComplete = false
  }

  /// A return.
  ///
  /// - Parameters:
  ///   - network: the network's name.
  ///   - node: whose addresses are handed over.
  ///   - dataDirectory: host-local's base directory.
  ///   - interfaceName: the interface of containers of which the datastore records none.
  ///   - store: the datastore; it forgets the evidence of handles that are deleted.
  ///   - evidence: what the datastore records of attachments.
  ///   - log: takes warnings, a line each.
  init(
    network: String, node: String, dataDirectory: String, interfaceName: String, store: Store,
    evidence: @escaping @Sendable () async throws -> [AttachmentEvidence], log: @escaping @Sendable (String) -> Void
  ) {
    self.network = network
    self.node = node
    self.dataDirectory = dataDirectory
    self.interfaceName = interfaceName
    self.store = store
    self.evidence = evidence
    self.log = log
    surroundings = Surroundings(log: log)
  }

  /// Whether calico-ipam is on record as giving out addresses of the network.
  var isMarked: Bool { marker.exists }

  private var marker: StrategyMarker { StrategyMarker(network: network, dataDirectory: dataDirectory) }
  private var deadline: Deadline { .after(milliseconds: surroundings.milliseconds) }

  // MARK: Looking

  /// Finds the network's assignments, by address. Changes nothing.
  ///
  /// - Throws: an error of the store.
  func survey() async throws -> Survey {
    let records = Dictionary(grouping: try await evidence(), by: \.handle)
    var survey = Survey()
    try await forEachAssignment { address, attribute, sequenceNumber in
      guard let handleID = attribute.sanitizedHandleID, let owner = owner(handleID, records[handleID] ?? []) else {
        return
      }
      switch keeping(attribute, owner) {
      case let reason?: survey.kept.append(Kept(address: address, reason: reason))
      case nil:
        survey.movable.append(
          Holding(
            address: address, containerID: owner.containerID,
            interfaceName: owner.interfaceNames.first ?? interfaceName, handleID: handleID,
            sequenceNumber: sequenceNumber))
      }
    }
    survey.movable.sort { $0.address < $1.address }
    survey.kept.sort { $0.address < $1.address }
    return survey
  }

  /// A container of the network, as far as it can be told from its handle.
  private struct Owner {
    var containerID: String
    /// The interfaces on record, sorted.
    var interfaceNames: [String] = []
    /// Whether the handle may be that of another network's container.
    var isAmbiguous = false
  }

  /// Whose a handle is; nil when it is no container's of this network. What is recorded of it decides; without a record
  /// its text does, in which a dot may belong to either name.
  private func owner(_ handleID: String, _ records: [AttachmentEvidence]) -> Owner? {
    if let record = records.first {
      let own = records.filter { $0.network == network }
      guard !own.isEmpty else { return nil }
      return Owner(containerID: record.containerID, interfaceNames: Set(own.map(\.interfaceName)).sorted())
    }
    guard handleID.hasPrefix(network + ".") else { return nil }
    let containerID = String(handleID.dropFirst(network.count + 1))
    return Owner(containerID: containerID, isAmbiguous: containerID.contains("."))
  }

  /// Why an assignment cannot be handed over; nil when it can.
  private func keeping(_ attribute: AllocationAttribute, _ owner: Owner) -> String? {
    let handleID = attribute.handleID ?? ""
    guard !owner.isAmbiguous else {
      return "handle \(handleID) is ambiguous: with a dot in it, it may be that of another network's container"
    }
    guard Attachment.isValid(containerID: Array(owner.containerID.utf8)) else {
      return "handle \(handleID) names no container"
    }
    guard let assigned = attribute.owner["node"] else { return "handle \(handleID) is of no node" }
    guard assigned == node else { return "it belongs to node \(assigned): hand it over with --node \(assigned)" }
    guard owner.interfaceNames.count < 2 else {
      let names = owner.interfaceNames.joined(separator: ", ")
      return "container \(owner.containerID) has the interfaces \(names), and whose address it is, is not recorded"
    }
    return nil
  }

  /// How many blocks are read at once: a full one has 16 KiB.
  private static var pageSize: Int { 256 }

  private func forEachAssignment(_ body: (IPAddress, AllocationAttribute, UInt64?) -> Void) async throws {
    for family in [AddressFamily.v4, .v6] {
      var listing = Listing(.blocks(family), limit: Self.pageSize)
      while true {
        let results = try await store.read([.list(listing)], deadline: deadline)
        guard case .list(let list)? = results.first else { break }
        for item in list.items {
          guard case .block(let cidr) = item.key, let stored = item.stored else { continue }
          let block = try IPAMBlock(decoding: stored.bytes, expected: cidr)
          for ordinal in 0..<block.size where block.isInUse(ordinal) {
            guard let attribute = block.attribute(at: ordinal) else { continue }
            body(block.address(at: ordinal), attribute, block.allocationNumbers[ordinal])
          }
        }
        guard list.hasMore, let last = list.items.last else { break }
        listing.after = last.key
      }
    }
  }

  /// What ``perform()`` would come to, as things are now. Changes nothing and takes no lock.
  ///
  /// - Parameter survey: what the datastore has.
  /// - Returns: what would be done.
  /// - Throws: `HostLocalError` when the reservations cannot be read.
  func preview(_ survey: Survey) throws(HostLocalError) -> Report {
    let reserved = try reservations()
    var report = Report()
    report.kept = survey.kept
    for holding in survey.movable {
      if let content = reserved[holding.address], let reason = obstacle(holding, content) {
        report.kept.append(Kept(address: holding.address, reason: reason))
      } else {
        report.moved.append(holding)
      }
    }
    report.kept.sort { $0.address < $1.address }
    report.isComplete = report.kept.isEmpty
    return report
  }

  private func reservations() throws(HostLocalError) -> [IPAddress: ReservationContent] {
    do {
      // What is damaged is nobody's, and is taken back when the lock is had.
      let found = try ReservationInventory(dataDirectory: dataDirectory).reservations(of: network)
        .filter { $0.content != .damaged }
      return Dictionary(found.map { ($0.address, $0.content) }) { first, _ in first }
    } catch {
      if case .system(ENOENT) = error.code { return [:] }
      throw error
    }
  }

  // MARK: Handing over

  /// How often the datastore is looked through: once more for what was assigned meanwhile, and a few times to spare.
  private static var passes: Int { 10 }

  /// Hands over what can be, and removes the marker when nothing is left.
  ///
  /// - Returns: what was done.
  /// - Throws: `HostLocalError`, or an error of the store; what was handed over before stays so.
  func perform() async throws -> Report {
    let opened = try LockedReservations.open(
      network: network, dataDirectory: dataDirectory, creating: true, log: log)
    guard var reservations = opened else {
      throw CalicoFailure("the directory of network \(network) below \(dataDirectory) was removed meanwhile")
    }
    var report = Report()
    for _ in 0..<Self.passes {
      let survey = try await survey()
      report.kept = survey.kept
      var hasMoved = false
      for holding in survey.movable {
        if let reason = try reserve(holding, &reservations) {
          report.kept.append(Kept(address: holding.address, reason: reason))
        } else if try await release(holding, &reservations) {
          report.moved.append(holding)
          hasMoved = true
        } else {
          hasMoved = true
        }
      }
      if hasMoved { continue }
      guard report.kept.isEmpty else { break }
      report.isComplete = try await marker.remove { try await self.survey().isEmpty }
      if report.isComplete { break }
    }
    report.kept.sort { $0.address < $1.address }
    reservations.finish()
    return report
  }

  /// Reserves an address for the container that has it.
  ///
  /// - Returns: nil when it is the container's, be it since an earlier run; or else why it cannot be.
  private func reserve(_ holding: Holding, _ reservations: inout LockedReservations) throws(HostLocalError) -> String? {
    let attachment = Attachment(
      containerID: holding.containerID, interfaceName: InterfaceName(holding.interfaceName))
    if try reservations.reserve(holding.address, for: attachment) { return nil }
    return obstacle(holding, reservations.holder(of: holding.address))
  }

  /// Why an address that host-local has reserved cannot be handed over; nil when it is the same container's.
  private func obstacle(_ holding: Holding, _ content: ReservationContent?) -> String? {
    if let holder = content?.holder, holder.containerID == holding.containerID { return nil }
    let holder = content?.holder.map { "container \($0.containerID)" } ?? "nobody it names"
    return "host-local reserved it for \(holder), and it is assigned to container \(holding.containerID): release one "
      + "of the two, with `ipamctl host-local release \(holding.address) --network \(network)` or "
      + "`ipamctl ipam release --ip=\(holding.address)`"
  }

  /// Releases an address that is reserved now, on the condition that it is still the same assignment.
  ///
  /// - Returns: false when it was not: a DEL has released it, and then the reservation goes as well.
  private func release(_ holding: Holding, _ reservations: inout LockedReservations) async throws -> Bool {
    let option = ReleaseOption(
      holding.address, handleID: holding.handleID, sequenceNumber: holding.sequenceNumber)
    let runner = OperationRunner(store)
    let result = try await runner.run(ReleaseAddresses([option], time: surroundings.now()), deadline: deadline)
    if result.error == nil, result.unallocated.isEmpty { return true }
    reservations.remove(holding.address)
    return false
  }
}
