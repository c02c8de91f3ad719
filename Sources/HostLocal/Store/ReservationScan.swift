import CLinux
import FileSystem
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Brings a table in line with a network's directory.
struct ReservationScan: ~Copyable {
  /// What the directory holds.
  private(set) var table: ReservationTable
  /// Reservations without an owner: empty, or nothing but NUL bytes.
  private(set) var damaged: [IPAddress] = []
  /// Entries that must be read afresh each time: all but reservations in plain files and the store's own files.
  /// Directories have a slash behind their names.
  private(set) var oddNames: [[UInt8]] = []

  /// Lists the directory, and reads every file that `known` does not know.
  ///
  /// What the table says of an address is kept only if the same file has its name still; that the inode has the same
  /// number is not enough, because a file made later may have been given it.
  init(_ directory: borrowing FileDescriptor, known: consuming ReservationTable) throws(HostLocalError) {
    table = known
    let entries = try DirectoryListing.entries(in: directory)
    // Telling one file from another in the same inode is of use only to an index, which a small directory has not.
    let needsIncarnations = entries.count >= ReservationIndex.smallestCount
    table.beginPass()
    for entry in entries where !StoreFile.isOwn(entry.name) {
      add(entry, directory, needsIncarnation: needsIncarnations)
    }
    table.removeUnseen()
  }

  /// The table, once nothing else of the scan is needed.
  consuming func takeTable() -> ReservationTable { table }

  /// Takes the record of an address out, because its file was removed.
  mutating func remove(_ address: IPAddress) { table.remove(address) }

  private mutating func add(
    _ entry: DirectoryEntry,
    _ directory: borrowing FileDescriptor,
    needsIncarnation: Bool
  ) {
    guard let address = StoreFile.address(named: entry.name) else {
      oddNames.append(entry.kind == .directory ? entry.name + [UInt8(ascii: "/")] : entry.name)
      return
    }
    var record = ReservationTable.Record(address: address, contentDigest: 0, inode: entry.inode)
    let name = String(decoding: entry.name, as: UTF8.self)
    if needsIncarnation, entry.kind == .file {
      record.incarnation = clinux_incarnation(directory.number, name)
    }
    if table.confirm(address, incarnation: record.incarnation) { return }
    if entry.kind == .directory {
      oddNames.append(entry.name + [UInt8(ascii: "/")])
    } else if entry.kind != .symbolicLink, let content = StoreFile.read(name, in: directory) {
      if content.isRegularFile, ReservationContent(content.bytes) == .damaged { damaged.append(address) }
      record.contentDigest = ReservationContent.digest(ReservationContent.trimmed(content.bytes))
    } else {
      // A link's target changes without the directory, and a file that cannot be read now may be readable to the next
      // process: the address is taken, and what stands there is looked up each time.
      oddNames.append(entry.name)
    }
    table.add(record)
  }
}

/// The names and contents of files in a network's directory.
enum StoreFile {
  private static let cursorPrefix = Array("last_reserved_ip.".utf8)
  private static let lockName = Array(DirectoryLock.fileName.utf8)
  /// No reservation is as long; whatever is longer belongs to nobody.
  private static let contentLimit = 1 << 16

  /// The cursor file of a range set.
  static func cursorName(_ setIndex: Int) -> String { "last_reserved_ip." + String(decimal: UInt64(setIndex)) }

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
