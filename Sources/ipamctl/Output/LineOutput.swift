import FileSystem
import Terminal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Lines on their way to a file or a terminal: written when there are many, so that a report of any length needs little
/// memory.
final class LineOutput {
  private let write: ([UInt8]) -> Void
  private var pending: [UInt8] = []

  private static let capacity = 1 << 15

  /// Lines for whoever takes them.
  init(_ write: @escaping ([UInt8]) -> Void) {
    self.write = write
    pending.reserveCapacity(Self.capacity + 512)
  }

  /// Lines for the process's stdout.
  static func standard() -> LineOutput {
    LineOutput { bytes in
      ProgressLine.ofProcess.erase()
      // Kept open: it is the process's.
      let file = FileDescriptor(adopting: dup(1))
      // Nobody reads any more: there is nobody to tell.
      try? File.writeAll(bytes, to: file)
    }
  }

  /// Adds a line.
  func line(_ text: String) {
    pending += text.utf8
    pending.append(UInt8(ascii: "\n"))
    if pending.count >= Self.capacity { flush() }
  }

  /// Writes what is there.
  func flush() {
    guard !pending.isEmpty else { return }
    write(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
