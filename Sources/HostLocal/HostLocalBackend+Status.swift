import CNI
import FileSystem
import IPAM
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension HostLocalBackend {
  /// Throws when no address could be given or kept: the configuration was judged when it was read, so what is left is
  /// the store. A network directory that is missing but could be made is fine.
  ///
  /// Exhaustion is reported only if the configuration asks for it, because a node whose STATUS fails is not ready.
  ///
  /// - Throws: ``HostLocalError`` with ``HostLocalError/Code/storeUnusable`` or ``HostLocalError/Code/exhausted``.
  public func status() async throws {
    let path = configuration.networkDirectory
    let existing = try Self.nearestExisting(path)
    guard existing.isDirectory else { throw Self.unusable(path, "\(existing.path) is not a directory") }
    guard access(existing.path, R_OK | W_OK | X_OK) == 0 else {
      let wanted = existing.path == path ? "reservations cannot be made in it" : "it cannot be made in \(existing.path)"
      throw Self.unusable(path, "\(wanted): \(systemReason(errno))")
    }
    guard existing.path == path else { return }
    let lock = try Self.nearestExisting("\(path)/\(DirectoryLock.fileName)")
    if lock.isDirectory, lock.path != path {
      throw Self.unusable(path, "its lock is a directory")
    }
    if configuration.options.reportsExhaustion { try reportExhaustion(path) }
  }

  private struct Existing {
    let path: String
    let isDirectory: Bool
  }

  /// The path itself, or the deepest directory above it that exists.
  private static func nearestExisting(_ path: String) throws(HostLocalError) -> Existing {
    var candidate = path
    while true {
      var status = stat()
      if stat(candidate, &status) == 0 { return Existing(path: candidate, isDirectory: status.isDirectory) }
      guard errno == ENOENT, candidate != "." else { throw unusable(path, "\(candidate): \(systemReason(errno))") }
      // A relative path begins in the working directory.
      candidate = LexicalPath.parent(of: candidate) ?? "."
    }
  }

  /// Counts without the lock: what other processes do meanwhile makes the answer one of a moment, as any answer is.
  private func reportExhaustion(_ path: String) throws(HostLocalError) {
    let directory: FileDescriptor
    do { directory = try File.open(path, O_RDONLY | O_DIRECTORY) } catch {
      throw Self.unusable(path, systemReason(error.number))
    }
    var taken = [UInt128](repeating: 0, count: configuration.rangeSets.count)
    for entry in try DirectoryListing.entries(in: directory) {
      guard let address = StoreFile.address(named: entry.name) else { continue }
      for (index, set) in configuration.rangeSets.enumerated() {
        guard let range = set.range(containing: address), range.gateway != address else { continue }
        taken[index] += 1
      }
    }
    for (index, set) in configuration.rangeSets.enumerated() where taken[index] >= set.capacity {
      throw HostLocalError(
        .exhausted,
        "no IP addresses available in range set: \(set)",
        details: "\(taken[index]) of \(set.capacity) addresses of range set \(index) are in use below \(path)",
        category: .unavailable
      )
    }
  }

  private static func unusable(_ path: String, _ reason: String) -> HostLocalError {
    HostLocalError(
      .storeUnusable,
      "the reservations directory \(path) is unusable: \(reason)",
      category: .unavailable
    )
  }
}
