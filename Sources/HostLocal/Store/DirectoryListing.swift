import CLinux
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A name in a directory, as the kernel lists it.
struct DirectoryEntry {
  enum Kind: Hashable {
    case file, directory, symbolicLink, other
  }

  let name: [UInt8]
  let inode: UInt64
  let kind: Kind
}

enum DirectoryListing {
  /// Every name but `.` and `..`, in the order of the file system.
  ///
  /// Reads raw entries (getdents64(2)), because the C library's directory streams cost an allocation and a copy more.
  static func entries(in directory: borrowing FileDescriptor) throws(HostLocalError) -> [DirectoryEntry] {
    var entries: [DirectoryEntry] = []
    // The descriptor may have been listed before.
    lseek(directory.number, 0, SEEK_SET)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 8)
    defer { buffer.deallocate() }
    while true {
      let count = clinux_read_directory(directory.number, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw HostLocalError(.system(errno), "cannot list the reservations (error \(errno))") }
      if count == 0 { return entries }
      var place = 0
      while place < count {
        let length = Int(buffer.load(fromByteOffset: place + Layout.length, as: UInt16.self))
        let name = buffer[(place + Layout.name)..<(place + length)].prefix { $0 != 0 }
        if !name.elementsEqual([UInt8(ascii: ".")]), !name.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) {
          entries.append(
            DirectoryEntry(
              name: Array(name),
              inode: buffer.load(fromByteOffset: place, as: UInt64.self),
              kind: kind(buffer[place + Layout.type]) ?? kind(of: Array(name), in: directory)
            )
          )
        }
        place += length
      }
    }
  }

  /// Where the parts of `struct linux_dirent64` lie behind the inode number.
  private enum Layout {
    static let length = 16
    static let type = 18
    static let name = 19
  }

  /// The kind as listed; nil on file systems that do not list it.
  private static func kind(_ type: UInt8) -> DirectoryEntry.Kind? {
    switch Int(type) {
    case Int(DT_REG): .file
    case Int(DT_DIR): .directory
    case Int(DT_LNK): .symbolicLink
    case Int(DT_UNKNOWN): nil
    default: .other
    }
  }

  private static func kind(of name: [UInt8], in directory: borrowing FileDescriptor) -> DirectoryEntry.Kind {
    // A name that is gone since it was listed is nothing that anybody acts on.
    guard let status = try? File.status(of: String(decoding: name, as: UTF8.self), in: directory.number) else {
      return .other
    }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .symbolicLink
    default: .other
    }
  }
}
