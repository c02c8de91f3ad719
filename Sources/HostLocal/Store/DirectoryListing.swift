import CLinux

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A name in a directory, as the kernel lists it.
struct DirectoryEntry {
  enum Kind: Hashable {
    case file, directory, symbolicLink, other, unknown
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
              kind: kind(buffer[place + Layout.type])
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

  private static func kind(_ type: UInt8) -> DirectoryEntry.Kind {
    switch Int(type) {
    case Int(DT_REG): .file
    case Int(DT_DIR): .directory
    case Int(DT_LNK): .symbolicLink
    case Int(DT_UNKNOWN): .unknown
    default: .other
    }
  }
}
