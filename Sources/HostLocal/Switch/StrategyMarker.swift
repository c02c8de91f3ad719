import FileSystem
public import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Says of a network on this host that `calico-ipam` gives addresses out, and from which networks: a line each in
/// `<dataDir>/.swift-ipam/<network>.calico-ipam`.
///
/// The marker is there before the first of those addresses is given out. Whoever changes the strategy back sees it, and
/// does not give an address out again that a container has from the other side.
///
/// Who has the lock of the network's directory may rely on what the marker says for as long as he has it: it is removed
/// by nobody else. Where there is no such directory, ``hold()`` does the same.
public struct StrategyMarker: Sendable {
  private let dataDirectory: String
  /// The marker's file.
  public let path: String

  /// The marker of a network.
  ///
  /// - Parameters:
  ///   - network: the network's name.
  ///   - dataDirectory: host-local's base directory.
  public init(network: String, dataDirectory: String = HostLocalConfiguration.defaultDataDirectory) {
    self.dataDirectory = dataDirectory
    path = LexicalPath.joined(LexicalPath.joined(dataDirectory, ".swift-ipam"), network + ".calico-ipam")
  }

  /// Whether `calico-ipam` has given out addresses of this network since the last time they were adopted.
  public var exists: Bool { access(path, F_OK) == 0 }

  /// The networks that it gives addresses out of; empty when there is no marker.
  ///
  /// One system call where there is none, as nearly everywhere, and three where there is one.
  ///
  /// - Throws: ``HostLocalError`` when the marker is there and cannot be read.
  public func networks() throws(HostLocalError) -> [CIDR] {
    guard let file = try open() else { return [] }
    return try networks(in: file)
  }

  private func open() throws(HostLocalError) -> FileDescriptor? {
    do throws(SystemError) {
      return try File.open(path, O_RDONLY)
    } catch {
      if error.number == ENOENT || error.number == ENOTDIR { return nil }
      throw .system("open", path, error.number)
    }
  }

  private func networks(in file: borrowing FileDescriptor) throws(HostLocalError) -> [CIDR] {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try File.contents(of: file) } catch { throw .system("read", path, error.number) }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { CIDR(String(decoding: $0, as: UTF8.self)) }
  }

  /// Adds a network.
  ///
  /// A line is written at once and at the end, so that several processes may add theirs at the same time. It begins with
  /// a line end of its own: whatever part of one a full disk has kept takes nothing of the next with it.
  ///
  /// - Parameter network: the network.
  /// - Throws: ``HostLocalError`` when the marker cannot be written.
  public func add(_ network: CIDR) throws(HostLocalError) {
    try File.makeDirectories(LexicalPath.joined(dataDirectory, ".swift-ipam"))
    do throws(SystemError) {
      let file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
      try File.writeAll(Array(("\n" + network.description + "\n").utf8), to: file)
    } catch {
      throw .system("write", path, error.number)
    }
  }

  // MARK: Its end

  /// Keeps the marker from being removed, to the end of its life.
  public struct Hold: ~Copyable {
    private let file: FileDescriptor
    /// What the marker said when it was taken hold of.
    public let networks: [CIDR]

    fileprivate init(file: consuming FileDescriptor, networks: [CIDR]) {
      self.file = file
      self.networks = networks
    }
  }

  /// Takes hold of the marker, for one who gives addresses out where there are no reservations whose lock would do.
  ///
  /// Never wait for that lock with this in hand: who removes a marker takes them in the other order.
  ///
  /// - Returns: the hold; nil when there is no marker.
  /// - Throws: ``HostLocalError`` when the marker cannot be read or locked.
  public func hold() throws(HostLocalError) -> Hold? {
    guard let file = try open() else { return nil }
    try lock(file, LOCK_SH)
    // One that was removed meanwhile is empty.
    let networks = try networks(in: file)
    return Hold(file: file, networks: networks)
  }

  /// Removes the marker, unless there is a reason against it.
  ///
  /// The caller has the lock of the network's directory.
  ///
  /// - Parameter isUnused: asked when nobody who relies on the marker is at work any more.
  /// - Returns: whether there is none now.
  /// - Throws: ``HostLocalError`` when it cannot be removed, or what `isUnused` throws.
  public func remove(if isUnused: () async throws -> Bool) async throws -> Bool {
    let file: FileDescriptor
    do throws(SystemError) {
      file = try File.open(path, O_RDWR)
    } catch {
      if error.number == ENOENT || error.number == ENOTDIR { return try await isUnused() }
      throw HostLocalError.system("open", path, error.number)
    }
    try lock(file, LOCK_EX)
    guard try await isUnused() else { return false }
    // Emptied first: who has it open and waits for it must not take it for one that holds.
    if ftruncate(file.number, 0) != 0 { throw HostLocalError.system("truncate", path, errno) }
    if unlink(path) != 0, errno != ENOENT { throw HostLocalError.system("unlink", path, errno) }
    return true
  }

  private func lock(_ file: borrowing FileDescriptor, _ operation: Int32) throws(HostLocalError) {
    while flock(file.number, operation) != 0 {
      guard errno == EINTR else { throw .system("lock", path, errno) }
    }
  }
}

extension HostLocalBackend {
  var marker: StrategyMarker {
    StrategyMarker(network: configuration.name, dataDirectory: configuration.dataDirectory)
  }

  /// Refuses to give addresses out that a container of this network may have from `calico-ipam`. The caller has the lock
  /// of the network's directory.
  func refuseForeignAddresses() throws(HostLocalError) {
    for network in try marker.networks() {
      guard let set = configuration.rangeSets.first(where: { $0.overlaps(network) }) else { continue }
      var command = "ipamctl host-local adopt --network \(configuration.name)"
      if configuration.dataDirectory != HostLocalConfiguration.defaultDataDirectory {
        command += " --data-dir \(configuration.dataDirectory)"
      }
      throw HostLocalError(
        .configuration,
        "range \(set) of network \(configuration.name) overlaps \(network), from which calico-ipam gave out addresses",
        details: "adopt them first: \(command) --apply")
    }
  }
}

extension RangeSet {
  /// Whether any address of the set's windows lies in a network.
  fileprivate func overlaps(_ network: CIDR) -> Bool {
    ranges.contains { range in
      range.window.first.family == network.address.family && range.window.first <= network.last
        && range.window.last >= network.network
    }
  }
}
