import FileSystem
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A directory that goes with the test.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/swift-ipam-vectors.XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit { Self.remove(path) }

  /// Deletes a file, or a directory with what is in it.
  static func remove(_ path: String) {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { remove(path + "/" + name) }
      }
      closedir(directory)
    }
    if rmdir(path) != 0 { unlink(path) }
  }
}

/// A nameless file for one of a plugin's streams.
struct StreamFile: ~Copyable {
  let descriptor: Int32

  init(_ content: [UInt8] = []) throws {
    var path = Array("/tmp/swift-ipam-vectors-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    try #require(descriptor >= 0)
    unlink(path)
    try #require(write(descriptor, content, content.count) == content.count)
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  /// All of the file.
  var bytes: [UInt8] {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: size)
    let count = pread(descriptor, &bytes, size, 0)
    return Array(bytes.prefix(max(0, count)))
  }
}
