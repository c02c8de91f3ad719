import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that keeps for ten minutes in which group a server has its resources.
///
/// It saves a request and is never needed: one that cannot be read, is old or speaks of another server is as good as
/// none, and so is one that cannot be written.
struct DiscoveryCache {
  let path: String
  /// What tells the server from others.
  let server: String

  private static let lifetime = 600

  /// The group, if the file says so and is young enough.
  func read() -> APIGroup? {
    guard let bytes = try? File.contents(at: path), let members = (try? JSON(parsing: bytes))?.objectValue,
      members["server"]?.stringValue == server, let written = members["time"]?.numberValue?.int64,
      let group = members["group"]?.stringValue.flatMap({ APIGroup(rawValue: $0) })
    else { return nil }
    // A clock that was set back must not make it last.
    let age = Int64(time(nil)) - written
    return (0..<Int64(Self.lifetime)).contains(age) ? group : nil
  }

  /// Replaces the file at once, so that no other process reads half of it.
  func write(_ group: APIGroup) {
    let document: JSON = [
      "server": .string(server), "group": .string(group.rawValue), "time": .number(JSONNumber(Int64(time(nil)))),
    ]
    makeDirectory()
    let temporary = "\(path).\(getpid())"
    // Only a process that was killed while it wrote can have left one of this name.
    unlink(temporary)
    do {
      let file = try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
      // Whoever runs next may read it, whatever this process takes away from the modes of files.
      fchmod(file.number, 0o644)
      try File.writeAll(document.encoded(), to: file)
      if rename(temporary, path) != 0 { unlink(temporary) }
    } catch {
      unlink(temporary)
    }
  }

  func remove() { unlink(path) }

  /// Makes the folder of the file, and those round it.
  private func makeDirectory() {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    var missing: [String] = []
    for count in stride(from: parts.count, to: 0, by: -1) {
      let folder = parts.prefix(count).joined(separator: "/")
      if folder.isEmpty || access(folder, F_OK) == 0 { break }
      missing.append(folder)
    }
    for folder in missing.reversed() { mkdir(folder, 0o755) }
  }
}
