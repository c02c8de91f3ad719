import CLinux
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Looks into a network namespace that no process is in, by going there and coming back.
enum NamespaceEntry {
  /// Whether the file is a network namespace.
  static func isNamespace(_ file: borrowing OpenFile) -> Bool { clinux_is_network_namespace(file.number) == 1 }

  /// The addresses of an open network namespace; see setns(2).
  ///
  /// Only the calling thread goes there, and it is back when this returns: nothing here suspends.
  ///
  /// - Throws: ``HostFiles/Failure`` when this process may not, which takes CAP_SYS_ADMIN.
  static func addresses(of namespace: borrowing OpenFile, at path: String) throws(HostFiles.Failure) -> Set<IPAddress> {
    let home = try HostFiles.open("/proc/thread-self/ns/net")
    guard clinux_enter_network_namespace(namespace.number) == 0 else {
      throw HostFiles.Failure(path: path, number: errno)
    }
    let found: Result<Set<IPAddress>, HostFiles.Failure>
    do { found = .success(try AddressFiles.addresses(in: "/proc/thread-self/net")) } catch { found = .failure(error) }
    guard clinux_enter_network_namespace(home.number) == 0 else {
      throw HostFiles.Failure(path: "/proc/thread-self/ns/net", number: errno)
    }
    return try found.get()
  }
}
