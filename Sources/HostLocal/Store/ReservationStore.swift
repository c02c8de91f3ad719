import CLinux
import FileSystem
import IPAM
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The reservations of one network, under its lock: one file for an address, byte for byte as the original keeps them
/// (host-local specification, section 4).
///
/// The lock is held from opening to the end of the value's life, so what a verb does with several addresses is one step
/// to every other process. A process that is killed leaves whole reservations or none.
struct ReservationStore: ~Copyable {
  /// The network's directory, cleaned lexically.
  let path: String
  let directory: FileDescriptor
  private(set) var table: ReservationTable
  private var oddNames: [[UInt8]]
  let surroundings: StoreSurroundings
  private let index: ReservationIndex
  private let lock: DirectoryLock
  /// Whether the directory was read by this process, so that the table cannot be older than the lock.
  private(set) var isTableFresh: Bool
  /// Whether there is an index that the next process would trust if this one publishes nothing.
  private let hasIndex: Bool
  /// Whether the directory was changed by somebody who did not hold the lock.
  private var isContested = false
  /// Whether the table says more than the published index.
  private var needsPublishing: Bool

  /// Opens a network's store and waits for its lock.
  ///
  /// - Parameters:
  ///   - path: the network's directory.
  ///   - creating: whether a missing directory is made.
  ///   - surroundings: what the store takes from its process and host.
  /// - Returns: the store, or nil when its directory is missing and was not to be made.
  /// - Throws: ``HostLocalError`` when the directory or the lock cannot be had.
  static func open(
    _ path: String,
    creating: Bool,
    surroundings: StoreSurroundings
  ) throws(HostLocalError) -> ReservationStore? {
    guard let directory = try openDirectory(path, creating: creating) else { return nil }
    let lock = try DirectoryLock.acquire(
      in: directory,
      path: path,
      patience: surroundings.lockPatience,
      log: surroundings.log
    )
    let status: stat
    do { status = try File.status(of: directory) } catch { throw .system("stat", path, error.number) }
    let index = ReservationIndex(
      place: surroundings.indexPlace,
      directory: status.fileNumber,
      identity: surroundings.identity
    )
    var isTableFresh = true
    var hasIndex = true
    let table: ReservationTable
    let oddNames: [[UInt8]]
    switch index.open(status) {
    case .trusted(let trusted):
      oddNames = trusted.header.oddNames
      table = trusted
      isTableFresh = false
    case .outdated(let outdated):
      let scan = try scan(directory, path, surroundings, known: outdated)
      oddNames = scan.oddNames
      table = scan.takeTable()
    case .nothing:
      hasIndex = false
      let scan = try scan(directory, path, surroundings, known: ReservationTable(capacity: 64))
      oddNames = scan.oddNames
      table = scan.takeTable()
    }
    return ReservationStore(
      path: path,
      directory: directory,
      table: table,
      oddNames: oddNames,
      surroundings: surroundings,
      index: index,
      lock: lock,
      isTableFresh: isTableFresh,
      hasIndex: hasIndex,
      needsPublishing: isTableFresh
    )
  }

  private static func openDirectory(
    _ path: String,
    creating: Bool
  ) throws(HostLocalError) -> FileDescriptor? {
    do { return try File.open(path, O_RDONLY | O_DIRECTORY) } catch {
      guard error.number == ENOENT || error.number == ENOTDIR, creating else {
        if error.number == ENOENT { return nil }
        throw .system("open", path, error.number)
      }
    }
    try File.makeDirectories(path)
    do { return try File.open(path, O_RDONLY | O_DIRECTORY) } catch {
      throw .system("open", path, error.number)
    }
  }

  /// Reads the directory, and takes back what has no owner.
  private static func scan(
    _ directory: borrowing FileDescriptor,
    _ path: String,
    _ surroundings: StoreSurroundings,
    known: consuming ReservationTable
  ) throws(HostLocalError) -> ReservationScan {
    var scan = try ReservationScan(directory, known: known)
    for address in scan.damaged {
      guard unlinkat(directory.number, address.description, 0) == 0 else { continue }
      scan.remove(address)
      surroundings.log(
        "reclaimed \(path)/\(address): it was empty, left behind by a killed process or a power loss, and nobody's"
      )
    }
    return scan
  }

  /// Reads the directory again, because it does not hold what the index says.
  private mutating func rescan() throws(HostLocalError) {
    let scan = try Self.scan(directory, path, surroundings, known: ReservationTable(capacity: 64))
    oddNames = scan.oddNames
    table = scan.takeTable()
    isTableFresh = true
    needsPublishing = true
  }

  // MARK: Reservations of an attachment

  /// A reservation of an attachment, seen in its file.
  struct Holding: Hashable {
    /// The name below the network's directory; more than one part only in nested directories.
    let name: [UInt8]
    /// The address that the last part of the name is the text of.
    let address: IPAddress?
    /// Whether only the container ID is recorded, not the interface.
    let isOldFormat: Bool
  }

  /// Everything the attachment holds, old-format entries of its container included, in upstream's order: by name.
  mutating func holdings(of attachment: Attachment) throws(HostLocalError) -> [Holding] {
    if let holdings = lookUp(attachment, believingAll: isTableFresh) { return holdings }
    try rescan()
    return lookUp(attachment, believingAll: true) ?? []
  }

  /// Looks into the table, and into the file of every hit.
  ///
  /// Nil when a file does not hold what the table says, unless all that can be known is known.
  private func lookUp(_ attachment: Attachment, believingAll: Bool) -> [Holding]? {
    let exact = ReservationContent.bytes(for: attachment)
    let old = Array(attachment.containerID.utf8)
    var holdings: [Holding] = []
    var isTableWrong = false
    for (content, isOldFormat) in [(exact, false), (old, true)] {
      table.forEachRecord(withContent: ReservationContent.digest(content)) { record in
        let name = record.address.description
        guard let bytes = StoreFile.read(name, in: directory)?.bytes,
          ReservationContent.trimmed(bytes).elementsEqual(content)
        else {
          isTableWrong = true
          return believingAll
        }
        holdings.append(Holding(name: Array(name.utf8), address: record.address, isOldFormat: isOldFormat))
        return true
      }
    }
    if isTableWrong, !believingAll { return nil }
    for name in OddEntries.files(oddNames, in: directory) {
      guard let bytes = StoreFile.read(String(decoding: name, as: UTF8.self), in: directory)?.bytes else { continue }
      let content = ReservationContent.trimmed(bytes)
      let isExact = content.elementsEqual(exact)
      guard isExact || content.elementsEqual(old) else { continue }
      let last = name.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? name
      let address = last.withUnsafeBufferPointer { IPAddress(utf8: $0) }
      holdings.append(Holding(name: name, address: address, isOldFormat: !isExact))
    }
    return holdings.count < 2 ? holdings : holdings.sorted { OddEntries.isOrdered($0.name, before: $1.name) }
  }

  /// Removes a reservation; false, and nothing changed, when the file cannot be removed.
  mutating func remove(_ holding: Holding) -> Bool {
    let name = String(decoding: holding.name, as: UTF8.self)
    guard unlinkat(directory.number, name, 0) == 0 || errno == ENOENT else {
      surroundings.log(SystemMessage.text("unlink", "\(path)/\(name)", errno))
      return false
    }
    if let address = StoreFile.address(named: holding.name) { table.remove(address) }
    oddNames.removeAll { $0 == holding.name }
    needsPublishing = true
    return true
  }

  /// Removes the reservation of one address; false, and nothing changed, when the file cannot be removed.
  @discardableResult
  mutating func remove(_ address: IPAddress) -> Bool {
    remove(Holding(name: Array(address.description.utf8), address: address, isOldFormat: false))
  }

  // MARK: Reserving

  /// How many addresses that a set could give out are reserved.
  func countTaken(in set: RangeSet) -> Int {
    set.ranges.reduce(0) { sum, range in
      let isGatewayTaken = range.window.contains(range.gateway) && table.record(of: range.gateway) != nil
      return sum + table.countTaken(in: range.window) - (isGatewayTaken ? 1 : 0)
    }
  }

  /// Whether no address is reserved.
  var isEmpty: Bool { table.count == 0 }

  /// How many addresses of a network are reserved, and the first of those in the table's order; nil for none.
  func reserved(in network: CIDR) -> (count: Int, example: IPAddress)? {
    guard let range = AddressRange(network.network, through: network.last) else { return nil }
    let count = table.countTaken(in: range)
    guard count > 0, let example = table.firstTaken(in: range) else { return nil }
    return (count, example)
  }

  /// What the reservation of an address holds; nil when there is none.
  func content(of address: IPAddress) -> ReservationContent? {
    StoreFile.read(address.description, in: directory).map { ReservationContent($0.bytes) }
  }

  /// The first address of `range` that is not reserved.
  func firstFree(in range: AddressRange) -> IPAddress? { table.firstFree(in: range) }

  /// Reserves an address; false when it is taken.
  ///
  /// The file appears with its content: it is written without a name and then linked, which fails when the name exists,
  /// whoever made it.
  mutating func reserve(_ address: IPAddress, for attachment: Attachment) throws(HostLocalError) -> Bool {
    if table.record(of: address) != nil { return false }
    let content = ReservationContent.bytes(for: attachment)
    guard try NewReservation.link(content, as: address.description, in: directory, path: path) else {
      // The index took the address for free, so it is wrong about the directory.
      guard isTableFresh else {
        try rescan()
        return false
      }
      // Somebody works in the directory without the lock. The address is taken, but by whom is not known, so what is
      // known now must not pass for the directory's content.
      table.add(ReservationTable.Record(address: address, contentDigest: 0))
      isContested = true
      return false
    }
    var record = ReservationTable.Record(address: address, contentDigest: ReservationContent.digest(content))
    if table.memory.isShared || table.count >= ReservationIndex.smallestCount {
      record.incarnation = clinux_incarnation(directory.number, address.description)
    }
    table.add(record)
    needsPublishing = true
    return true
  }

  // MARK: Cursors

  /// The address reserved last for a range set; nil when there is none, or none that can be read as an address.
  func cursor(ofSet setIndex: Int) -> IPAddress? {
    do {
      let file = try File.open(StoreFile.cursorName(setIndex), in: directory.number, O_RDONLY)
      return try File.contents(of: file, limit: 4096).withUnsafeBufferPointer { IPAddress(utf8: $0) }
    } catch {
      if error.number != ENOENT {
        let reason = SystemMessage.text("read", "\(path)/\(StoreFile.cursorName(setIndex))", error.number)
        surroundings.log("Error retrieving last reserved ip: \(reason)")
      }
      return nil
    }
  }

  /// Notes the address reserved last for a range set.
  ///
  /// The text is written over the old one and then cut to length: a full disk cannot lose the old text, and no data has
  /// to be flushed for a truncated file. Whatever a process killed in between leaves there is only where the next search
  /// begins.
  func writeCursor(ofSet setIndex: Int, _ address: IPAddress) throws(HostLocalError) {
    let name = StoreFile.cursorName(setIndex)
    let text = Array(address.description.utf8)
    let file: FileDescriptor
    do {
      file = try File.open(name, in: directory.number, O_RDWR | O_CREAT, mode: 0o600)
    } catch {
      throw .system("open", "\(path)/\(name)", error.number)
    }
    do throws(SystemError) {
      try File.writeAll(text, to: file, at: 0)
      if try File.status(of: file).st_size != text.count, ftruncate(file.number, off_t(text.count)) != 0 {
        throw SystemError(number: errno)
      }
    } catch {
      throw .system("write", "\(path)/\(name)", error.number)
    }
  }

  // MARK: The whole

  /// Calls `body` with every reservation that has an owner to be told from its content.
  func forEachReservation(_ body: (IPAddress, ReservationContent) -> Void) throws(HostLocalError) {
    for entry in try DirectoryListing.entries(in: directory) {
      guard entry.kind == .file, let address = StoreFile.address(named: entry.name),
        let file = StoreFile.read(String(decoding: entry.name, as: UTF8.self), in: directory), file.isRegularFile
      else { continue }
      body(address, ReservationContent(file.bytes))
    }
  }

  /// Ends the work: what is known of the directory is published for the next process.
  mutating func finish() {
    // More odd names than the index has room for: then there is none, and every process reads the directory.
    guard needsPublishing, !isContested, hasIndex || table.count >= ReservationIndex.smallestCount,
      table.header.setOddNames(oddNames)
    else { return }
    index.publish(table, directory: directory)
    needsPublishing = false
  }
}
