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
public struct StrategyMarker: Sendable {
  private let dataDirectory: String
  private let path: String

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
  /// - Throws: ``HostLocalError`` when the marker is there and cannot be read.
  public func networks() throws(HostLocalError) -> [CIDR] {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try File.contents(at: path)
    } catch {
      if error.number == ENOENT || error.number == ENOTDIR { return [] }
      throw .system("open", path, error.number)
    }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { CIDR(String(decoding: $0, as: UTF8.self)) }
  }

  /// Adds a network.
  ///
  /// A line is written at once and at the end, so that several processes may add theirs at the same time.
  ///
  /// - Parameter network: the network.
  /// - Throws: ``HostLocalError`` when the marker cannot be written.
  public func add(_ network: CIDR) throws(HostLocalError) {
    try File.makeDirectories(LexicalPath.joined(dataDirectory, ".swift-ipam"))
    do throws(SystemError) {
      let file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
      try File.writeAll(Array((network.description + "\n").utf8), to: file)
    } catch {
      throw .system("write", path, error.number)
    }
  }

  /// Removes the marker; none of the addresses is in use any more.
  ///
  /// - Throws: ``HostLocalError`` when it cannot be removed.
  public func remove() throws(HostLocalError) {
    if unlink(path) != 0, errno != ENOENT, errno != ENOTDIR { throw .system("unlink", path, errno) }
  }
}

extension HostLocalBackend {
  /// Refuses to give addresses out that a container of this network may have from `calico-ipam`.
  func refuseForeignAddresses() throws(HostLocalError) {
    let marker = StrategyMarker(network: configuration.name, dataDirectory: configuration.dataDirectory)
    for network in try marker.networks() {
      guard let set = configuration.rangeSets.first(where: { $0.overlaps(network) }) else { continue }
      throw HostLocalError(
        .configuration,
        "range \(set) of network \(configuration.name) overlaps \(network), from which calico-ipam gave out addresses",
        details: "adopt them first: ipamctl host-local adopt --network \(configuration.name)")
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
