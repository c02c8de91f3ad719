import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Entries of a network's directory that an index cannot vouch for: names that are no addresses, symbolic links, files
/// that could not be read, and whole directories. The original takes each file among them for a reservation if its content
/// says so (host-local specification, section 4.5).
enum OddEntries {
  /// The names of all files that `names` stand for, those of directories listed to any depth. Symbolic links to
  /// directories are not followed.
  static func files(_ names: [[UInt8]], in directory: borrowing FileDescriptor) -> [[UInt8]] {
    guard !names.isEmpty else { return [] }
    var files: [[UInt8]] = []
    var pending = names
    while let name = pending.popLast() {
      guard name.last == UInt8(ascii: "/") else {
        files.append(name)
        continue
      }
      // A directory that cannot be read holds nothing that could be released; upstream passes over it as well.
      guard
        let nested = try? File.open(
          String(decoding: name.dropLast(), as: UTF8.self),
          in: directory.number,
          O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        )
      else { continue }
      for entry in (try? DirectoryListing.entries(in: nested)) ?? [] {
        pending.append(name + entry.name + (entry.kind == .directory ? [UInt8(ascii: "/")] : []))
      }
    }
    return files
  }

  /// The order of a walk: by the bytes of each part of the name.
  static func isOrdered(_ left: [UInt8], before right: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    return left.split(separator: slash).lexicographicallyPrecedes(right.split(separator: slash)) {
      $0.lexicographicallyPrecedes($1)
    }
  }
}
