import CLinux
import FileSystem
import IPAM
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The record of which reservations were seen in which boot of which machine, kept beside the networks' directories.
///
/// No container survives a reboot, so a reservation from an earlier boot is nobody's. That it is from an earlier boot is
/// decided on what was recorded in that boot, and on nothing else: the same name, the same inode, the same change time,
/// the same machine, another boot. Clocks are not compared. What was never recorded is kept.
///
/// Two tables lie in `<dataDir>/.swift-ipam/<network>`:
///
/// * `ledger`: the reservations seen in this boot. Found with another boot's identity, it is the evidence, and each
///   reservation it proves is removed.
/// * `former`: what was removed so. A container that comes back with the same ID and interface gets its address again,
///   and as long as there are others, nobody else is given it.
///
/// A process killed at any point leaves evidence to be used again, or too little of it; never wrong evidence.
struct BootLedger: ~Copyable {
  private var ledger: ReservationTable?
  private var former: ReservationTable?
  private let place: String
  private let boot: BootIdentity

  /// The ledger of a network, after the reservations of earlier boots were taken back; an idle one unless the
  /// configuration asks for it.
  ///
  /// A ledger that cannot be written is reported and done without: what is not recorded is kept, which is safe, and a
  /// container must not go without an address for it.
  init(of configuration: HostLocalConfiguration, _ store: inout ReservationStore) {
    place = Self.place(dataDirectory: configuration.dataDirectory, network: configuration.name)
    ledger = nil
    former = nil
    guard configuration.options.reclaimsAfterReboot else {
      boot = BootIdentity(machine: 0, boot: 0)
      return
    }
    boot = .current(store.surroundings.identity)
    guard boot.isKnown else { return }
    do throws(SystemError) {
      try settle(&store)
    } catch {
      ledger = nil
      let reason = SystemMessage.text("write", place, error.number)
      store.surroundings.log("reservations are not recorded for a reboot: \(reason)")
    }
  }

  private mutating func settle(_ store: inout ReservationStore) throws(SystemError) {
    former = TableFile.open(formerPath)
    if former?.boot() != boot { former = nil }
    ledger = TableFile.open(ledgerPath)
    if ledger?.boot() == boot {
      if store.isTableFresh { try observe(store) }
      return
    }
    TableFile.makeDirectory(place)
    if let evidence = ledger.take(), evidence.boot().machine == boot.machine {
      try reclaim(evidence, &store)
    }
    try observe(store)
  }

  private static func place(dataDirectory: String, network: String) -> String {
    LexicalPath.joined(LexicalPath.joined(dataDirectory, NewReservation.ownDirectoryName), network)
  }

  /// Where a network's ledger lies.
  static func ledgerPath(dataDirectory: String, network: String) -> String {
    place(dataDirectory: dataDirectory, network: network) + "/ledger"
  }

  private var ledgerPath: String { place + "/ledger" }
  private var formerPath: String { place + "/former" }

  // MARK: After a reboot

  /// Removes the reservations that the evidence proves to be from an earlier boot, and remembers them as former.
  private mutating func reclaim(
    _ evidence: borrowing ReservationTable,
    _ store: inout ReservationStore
  ) throws(SystemError) {
    var proven: [ReservationTable.Record] = []
    evidence.forEachRecord { record in
      guard let status = try? File.status(of: record.address.description, in: store.directory.number) else { return }
      if record.describes(status) { proven.append(record) }
    }
    guard !proven.isEmpty else { return }
    // Remembered before anything is removed: a process killed in between must not cost a container its address.
    var remembered = ReservationTable(capacity: proven.count * 2)
    former?.forEachRecord { remembered.add($0) }
    for record in proven { remembered.add(record) }
    remembered.header.boot = boot
    try TableFile.save(remembered, to: formerPath)
    former = TableFile.open(formerPath)
    for record in proven { store.remove(record.address) }
    store.surroundings.log(
      "reclaimed \(proven.count) reservations of \(store.path) that were recorded in an earlier boot of this machine"
    )
  }

  /// The address that the attachment held before the reboot, if the set contains it.
  func formerAddress(of attachment: Attachment, in set: RangeSet) -> IPAddress? {
    guard former != nil else { return nil }
    let digest = ReservationContent.digest(ReservationContent.bytes(for: attachment))
    var address: IPAddress?
    former?.forEachRecord(withContent: digest) { record in
      guard set.contains(record.address) else { return true }
      address = record.address
      return false
    }
    return address
  }

  /// Whether there are addresses that somebody may come back for.
  var hasFormer: Bool { former != nil }

  /// The first address of `range` that is neither reserved nor anybody's former one.
  func firstUnspoken(in range: AddressRange, _ store: borrowing ReservationStore) -> IPAddress? {
    guard former != nil else { return store.firstFree(in: range) }
    var range = range
    while let free = store.firstFree(in: range), let rest = AddressRange(free, through: range.last) {
      guard let unspoken = former?.firstFree(in: rest) else { return nil }
      if unspoken == free { return free }
      guard let next = AddressRange(unspoken, through: range.last) else { return nil }
      range = next
    }
    return nil
  }

  /// Forgets what the attachment held before the reboot: it is gone for good.
  mutating func forgetFormer(_ attachment: Attachment) {
    guard former != nil else { return }
    let digest = ReservationContent.digest(ReservationContent.bytes(for: attachment))
    var addresses: [IPAddress] = []
    former?.forEachRecord(withContent: digest) { record in
      addresses.append(record.address)
      return true
    }
    for address in addresses { former?.remove(address) }
  }

  // MARK: In this boot

  /// Records a reservation that was just made.
  mutating func record(_ address: IPAddress, _ store: borrowing ReservationStore) {
    guard ledger != nil else { return }
    ledger?.remove(address)
    guard let record = Self.evidence(of: address, store) else { return }
    // Who comes back keeps the claim while it has the address: if this call is rolled back, the next one needs it.
    if former?.record(of: address)?.contentDigest != record.contentDigest { former?.remove(address) }
    ledger?.add(record)
    // What cannot be written is not recorded, and what is not recorded is kept.
    try? ledger?.saveIfDetached(to: ledgerPath)
  }

  /// Takes a released reservation out.
  mutating func forget(_ address: IPAddress) { ledger?.remove(address) }

  /// Brings the ledger in line with the directory, for what others have made and removed in this boot.
  private mutating func observe(_ store: borrowing ReservationStore) throws(SystemError) {
    var observed = ReservationTable(capacity: store.table.count * 3 / 2)
    var addresses: [IPAddress] = []
    store.table.forEachRecord { addresses.append($0.address) }
    for address in addresses {
      guard var record = Self.evidence(of: address, store) else { continue }
      record.contentDigest = store.table.record(of: address)?.contentDigest ?? 0
      observed.add(record)
    }
    observed.header.boot = boot
    try TableFile.save(observed, to: ledgerPath)
    ledger = TableFile.open(ledgerPath)
  }

  private static func evidence(
    of address: IPAddress,
    _ store: borrowing ReservationStore
  ) -> ReservationTable.Record? {
    guard let status = try? File.status(of: address.description, in: store.directory.number), status.isRegularFile
    else {
      return nil
    }
    var record = store.table.record(of: address) ?? ReservationTable.Record(address: address, contentDigest: 0)
    record.inode = UInt64(status.st_ino)
    record.changeSeconds = Int64(status.st_ctim.tv_sec)
    record.changeNanoseconds = Int64(status.st_ctim.tv_nsec)
    return record
  }
}

extension ReservationTable.Record {
  /// Whether a file is the very one that was recorded.
  func describes(_ status: stat) -> Bool {
    status.isRegularFile && UInt64(status.st_ino) == inode && Int64(status.st_ctim.tv_sec) == changeSeconds
      && Int64(status.st_ctim.tv_nsec) == changeNanoseconds
  }
}
