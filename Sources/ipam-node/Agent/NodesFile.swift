import CNI
import CalicoModel
import FileSystem
import JSON
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file with a fixed list of nodes, read only when it is another than before.
final class NodesFile: Sendable {
  /// Why the list cannot be read.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// What tells one version of a file from another.
  private struct Version: Hashable {
    let inode: UInt64
    let size: Int64
    let modified: Int64
    let changed: Int64

    init(_ status: stat) {
      inode = UInt64(status.st_ino)
      size = Int64(status.st_size)
      modified = Self.nanoseconds(status.st_mtim)
      changed = Self.nanoseconds(status.st_ctim)
    }

    static func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) }
  }

  /// More than a hundred thousand nodes take.
  private static let maximumSize = 64 << 20

  private let path: String
  private let known = Mutex<Version?>(nil)

  init(_ path: String) { self.path = path }

  /// Reads the list.
  ///
  /// - Returns: the list; nil when it is as it was at the last call.
  /// - Throws: ``Failure``; the next call reads again.
  func read() throws(Failure) -> JSON? {
    let text: [UInt8]
    let version: Version
    do throws(SystemError) {
      let file = try File.open(path, O_RDONLY | O_NONBLOCK)
      version = Version(try File.status(of: file))
      if known.withLock({ $0 == version }) { return nil }
      known.withLock { $0 = nil }
      text = try File.contents(of: file, limit: Self.maximumSize + 1)
    } catch {
      known.withLock { $0 = nil }
      throw Failure(description: "cannot read \(path): \(systemReason(error.number))")
    }
    guard text.count <= Self.maximumSize else {
      throw Failure(description: "\(path) has more than \(Self.maximumSize) bytes: that is no list of nodes")
    }
    let document: JSON?
    do throws(WrittenDocument.Failure) { document = try WrittenDocument.json(text) } catch {
      throw Failure(description: "\(path): \(error)")
    }
    guard let document else { throw Failure(description: "\(path) is empty: {\"nodes\": []} is a list without nodes") }
    // A second version within the same tick of the clock would look the same: one that young is read again.
    let age = Int64(TimeOfDay.now().nanoseconds) - max(version.modified, version.changed)
    if age > 1_000_000_000 || age < 0 { known.withLock { $0 = version } }
    return document
  }
}
