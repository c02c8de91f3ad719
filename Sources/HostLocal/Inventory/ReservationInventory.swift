import FileSystem
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The reservations below a data directory, for people and tools: the directories of this package's plugin and of the
/// original alike.
public struct ReservationInventory: Sendable {
  /// The base directory, such as ``HostLocalConfiguration/defaultDataDirectory``.
  public let dataDirectory: String

  public init(dataDirectory: String = HostLocalConfiguration.defaultDataDirectory) {
    self.dataDirectory = dataDirectory
  }

  /// The directory of a network.
  public func directory(of network: String) -> String { LexicalPath.joined(dataDirectory, network) }

  /// The names of all networks that have a directory, sorted.
  ///
  /// - Throws: ``HostLocalError`` when the data directory cannot be read.
  public func networks() throws(HostLocalError) -> [String] {
    let base: FileDescriptor
    do { base = try File.open(dataDirectory, O_RDONLY | O_DIRECTORY) } catch {
      throw .system("open", dataDirectory, error.number)
    }
    var names: [String] = []
    for entry in try DirectoryListing.entries(in: base) {
      guard entry.name.first != UInt8(ascii: ".") else { continue }
      var status = stat()
      let name = String(decoding: entry.name, as: UTF8.self)
      guard fstatat(base.number, name, &status, 0) == 0, status.isDirectory else { continue }
      names.append(name)
    }
    return names.sorted()
  }

  /// The reservations of a network, by address. Takes no lock: the answer is of a moment.
  ///
  /// - Throws: ``HostLocalError`` when the network's directory, or a reservation in it, cannot be read.
  public func reservations(of network: String) throws(HostLocalError) -> [StoredReservation] {
    let path = directory(of: network)
    let directory: FileDescriptor
    do { directory = try File.open(path, O_RDONLY | O_DIRECTORY) } catch {
      throw .system("open", path, error.number)
    }
    let evidence = EarlierBoots(dataDirectory: dataDirectory, network: network)
    var found: [StoredReservation] = []
    for entry in try DirectoryListing.entries(in: directory) {
      guard let reservation = Self.read(entry, in: directory, evidence) else {
        try Self.refuseForbidden(entry, in: directory, path)
        continue
      }
      found.append(reservation)
    }
    return found.sorted { $0.address < $1.address }
  }

  /// The address a range set of this network reserved last, by the set's position; missing where there is no cursor.
  public func cursors(of network: String) throws(HostLocalError) -> [Int: String] {
    let path = directory(of: network)
    let directory: FileDescriptor
    do { directory = try File.open(path, O_RDONLY | O_DIRECTORY) } catch {
      throw .system("open", path, error.number)
    }
    var cursors: [Int: String] = [:]
    for entry in try DirectoryListing.entries(in: directory) {
      let name = String(decoding: entry.name, as: UTF8.self)
      guard StoreFile.isOwn(entry.name), let dot = name.lastIndex(of: "."),
        let index = Int(name[name.index(after: dot)...]),
        let content = StoreFile.read(name, in: directory)
      else { continue }
      cursors[index] = String(decoding: content.bytes, as: UTF8.self)
    }
    return cursors
  }

  /// Releases reservations under the network's lock.
  ///
  /// Each is looked at again first: one that is not the same file with the same content any more is left alone.
  ///
  /// - Parameters:
  ///   - reservations: what to release, as ``reservations(of:)`` returned it.
  ///   - network: the network's name.
  ///   - log: takes warnings, a line each.
  /// - Returns: those that were released.
  /// - Throws: ``HostLocalError`` when the directory or its lock cannot be had.
  public func release(
    _ reservations: [StoredReservation],
    of network: String,
    log: @escaping @Sendable (String) -> Void
  ) throws(HostLocalError) -> [StoredReservation] {
    let surroundings = StoreSurroundings(log: log)
    guard
      var store = try ReservationStore.open(directory(of: network), creating: false, surroundings: surroundings)
    else { return [] }
    let evidence = EarlierBoots(dataDirectory: dataDirectory, network: network)
    var released: [StoredReservation] = []
    for reservation in reservations {
      let entry = DirectoryEntry(
        name: Array(reservation.address.description.utf8),
        inode: reservation.file.inode,
        kind: .file
      )
      guard let current = Self.read(entry, in: store.directory, evidence), current.file == reservation.file,
        current.content == reservation.content, store.remove(reservation.address)
      else { continue }
      released.append(reservation)
    }
    store.finish()
    return released
  }

  /// Throws for a reservation that this user may not read: without it, the list would say that its address is free.
  private static func refuseForbidden(
    _ entry: DirectoryEntry,
    in directory: borrowing FileDescriptor,
    _ path: String
  ) throws(HostLocalError) {
    guard let name = StoreFile.address(named: entry.name)?.description else { return }
    do {
      _ = try File.open(name, in: directory.number, O_RDONLY | O_NONBLOCK)
    } catch {
      guard error.number == EACCES || error.number == EPERM else { return }
      throw .system("open", "\(path)/\(name)", error.number)
    }
  }

  private static func read(
    _ entry: DirectoryEntry,
    in directory: borrowing FileDescriptor,
    _ evidence: borrowing EarlierBoots
  ) -> StoredReservation? {
    guard let address = StoreFile.address(named: entry.name) else { return nil }
    let name = address.description
    // A reservation that vanishes while it is looked at is none.
    guard let status = try? File.status(of: name, in: directory.number), status.isRegularFile,
      let content = StoreFile.read(name, in: directory)
    else { return nil }
    return StoredReservation(
      address: address,
      content: ReservationContent(content.bytes),
      file: StoredReservation.FileIdentity(
        inode: UInt64(status.st_ino),
        changeSeconds: Int64(status.st_ctim.tv_sec),
        changeNanoseconds: Int64(status.st_ctim.tv_nsec)
      ),
      isFromEarlierBoot: evidence.prove(address, status)
    )
  }
}
