import CLinux
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads a network's directory into a table.
struct ReservationScan: ~Copyable {
  /// What the directory holds.
  var table = ReservationTable(capacity: 64)
  /// Reservations without an owner: empty, or nothing but NUL bytes.
  var damaged: [IPAddress] = []
  /// Entries that are neither reservations nor the store's own files, directories with a slash behind their names.
  var oddNames: [[UInt8]] = []

  /// The table, once nothing else of the scan is needed.
  consuming func takeTable() -> ReservationTable { table }

  /// Reads the directory.
  ///
  /// - Parameter known: what was known of an address before. A reservation that is still the same file is not read again.
  init(
    _ directory: borrowing FileDescriptor,
    known: (IPAddress) -> ReservationTable.Record?
  ) throws(HostLocalError) {
    let entries = try DirectoryListing.entries(in: directory)
    table = ReservationTable(capacity: entries.count * 5 / 4)
    // Telling one file from another in the same inode is of use only to an index, which a small directory has not.
    let needsIncarnations = entries.count >= ReservationIndex.smallestCount
    for entry in entries { add(entry, directory, known, needsIncarnation: needsIncarnations) }
  }

  private mutating func add(
    _ entry: DirectoryEntry,
    _ directory: borrowing FileDescriptor,
    _ known: (IPAddress) -> ReservationTable.Record?,
    needsIncarnation: Bool
  ) {
    if StoreFile.isOwn(entry.name) { return }
    guard let address = StoreFile.address(named: entry.name) else {
      oddNames.append(entry.kind == .directory ? entry.name + [UInt8(ascii: "/")] : entry.name)
      return
    }
    var record = ReservationTable.Record(address: address, contentDigest: 0, inode: entry.inode)
    let name = String(decoding: entry.name, as: UTF8.self)
    if needsIncarnation { record.incarnation = clinux_incarnation(directory.number, name) }
    if entry.kind == .directory {
      oddNames.append(entry.name + [UInt8(ascii: "/")])
    } else if needsIncarnation, let known = known(address), known.contentDigest != 0, known.incarnation != 0,
      known.incarnation == record.incarnation
    {
      record = known
    } else if let content = StoreFile.read(name, in: directory) {
      if content.isRegularFile, entry.kind != .symbolicLink, ReservationContent(content.bytes) == .damaged {
        damaged.append(address)
      }
      record.contentDigest = ReservationContent.digest(ReservationContent.trimmed(content.bytes))
    }
    if table.insert(record) { return }
    table = table.grown()
    // A grown table has room.
    _ = table.insert(record)
  }
}

/// The names and contents of files in a network's directory.
enum StoreFile {
  private static let cursorPrefix = Array("last_reserved_ip.".utf8)
  private static let lockName = Array(DirectoryLock.fileName.utf8)
  /// No reservation is as long; whatever is longer belongs to nobody.
  private static let contentLimit = 1 << 16

  /// The cursor file of a range set.
  static func cursorName(_ setIndex: Int) -> String { "last_reserved_ip.\(setIndex)" }

  /// Whether the name is the lock's or a cursor's, and so no reservation whatever its content.
  static func isOwn(_ name: [UInt8]) -> Bool {
    if name == lockName { return true }
    guard name.starts(with: cursorPrefix), name.count > cursorPrefix.count else { return false }
    return name[cursorPrefix.count...].allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
  }

  /// The address that a file of this name reserves: canonical text only.
  static func address(named name: [UInt8]) -> IPAddress? {
    guard let first = name.first, first != UInt8(ascii: "."),
      let address = name.withUnsafeBufferPointer({ IPAddress(utf8: $0) })
    else { return nil }
    // Dotted text has one form only; anything with a colon is compared with its canonical text.
    guard name.contains(UInt8(ascii: ":")) else { return address }
    return address.description.utf8.elementsEqual(name) ? address : nil
  }

  /// A file's bytes, symbolic links followed; nil when it cannot be read.
  static func read(
    _ name: String,
    in directory: borrowing FileDescriptor
  ) -> (bytes: [UInt8], isRegularFile: Bool)? {
    // An unreadable entry belongs to nobody, but its address is taken (host-local specification, section 4.5).
    guard let file = try? File.open(name, in: directory.number, O_RDONLY | O_NONBLOCK),
      let bytes = try? File.contents(of: file, limit: contentLimit)
    else { return nil }
    // Only emptiness asks for the kind of file, so only then is it worth a call.
    guard bytes.first ?? 0 == 0 else { return (bytes, true) }
    return (bytes, (try? File.status(of: file))?.isRegularFile ?? false)
  }
}
