#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The check that a runtime did not name the plugin's own network namespace as the container's.
enum NamespaceGuard {
  /// Compares the two namespaces after a successful ADD or DEL; a path that cannot be opened is no concern.
  ///
  /// - Throws: ``CNIError`` with code 8 when they are the same file.
  static func check(_ environment: CNIEnvironment) throws(CNIError) {
    guard !environment.overridesNamespaceCheck, !environment.networkNamespace.isEmpty else { return }
    let path = environment.networkNamespace + [0]
    guard let theirs = identity(of: path) else { return }
    guard let ours = identity(of: Array("/proc/self/ns/net".utf8) + [0]) else {
      throw CNIError(.invalidNetworkNamespace, "get plugin's netns failed")
    }
    guard theirs != ours else {
      throw CNIError(
        .invalidNetworkNamespace,
        "plugin's netns and netns from CNI_NETNS should not be the same"
      )
    }
  }

  private struct FileIdentity: Equatable {
    let device: dev_t
    let inode: ino_t
  }

  private static func identity(of path: [UInt8]) -> FileIdentity? {
    let descriptor = path.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        text.baseAddress.map { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) } ?? -1
      }
    }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return FileIdentity(device: status.st_dev, inode: status.st_ino)
  }
}
