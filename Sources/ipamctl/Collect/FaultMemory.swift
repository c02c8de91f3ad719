import Datastore
import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Since when faults have been seen at the same revision: a file that one run leaves for the next.
///
/// Time is that since boot (CLOCK_BOOTTIME), which nobody sets; notes of another boot count as none.
struct FaultMemory {
  private struct Note {
    var revision: String
    var since: Int64
  }

  private let path: String
  private let bootID: String
  private let now: Int64
  private var notes: [String: Note] = [:]

  /// Reads the notes about a datastore.
  ///
  /// - Parameters:
  ///   - store: the datastore's name.
  ///   - roots: where the host's files are.
  ///   - now: seconds since boot.
  init(of store: String, _ roots: HostRoots, now: Int64 = Self.secondsSinceBoot()) {
    let name = String(decoding: store.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
    path = roots.path("/run/swift-ipam/ipamctl/faults\(name).json")
    bootID = File.firstLine(of: roots.path(BootIdentity.Source().bootPath))
    self.now = now
    // Notes that are missing or damaged only mean that the faults have to be seen twice more.
    guard !bootID.isEmpty, let bytes = try? HostFiles.contents(of: path), let document = try? JSON(parsing: bytes),
      let members = document.objectValue, members["boot"]?.stringValue == bootID
    else { return }
    for member in members["faults"]?.objectValue?.members ?? [] {
      guard let note = member.value.objectValue, let revision = note["revision"]?.stringValue,
        let since = note["since"]?.numberValue?.int64, since <= now
      else { continue }
      notes[member.key] = Note(revision: revision, since: since)
    }
  }

  /// Takes in what is found now, and drops what is not there any more or has changed.
  ///
  /// - Parameter faults: a name for each place, and what tells its state from others, such as a revision.
  /// - Returns: for each name, how many seconds ago it was seen first in that state.
  mutating func note(_ faults: [(path: String, state: String)]) -> [String: Int64] {
    var current: [String: Note] = [:]
    var ages: [String: Int64] = [:]
    for fault in faults {
      var note = Note(revision: fault.state, since: now)
      if let known = notes[fault.path], known.revision == fault.state { note = known }
      current[fault.path] = note
      ages[fault.path] = now - note.since
    }
    notes = current
    return ages
  }

  /// Writes the notes.
  ///
  /// - Throws: `SystemError` when they cannot be written: then the next run has to begin anew.
  func save() throws(SystemError) {
    let members = notes.sorted { $0.key < $1.key }.map { path, note in
      JSONObject.Member(
        key: path, value: ["revision": .string(note.revision), "since": .number(JSONNumber(note.since))])
    }
    let document: JSON = ["boot": .string(bootID), "faults": .object(JSONObject(members))]
    makeDirectory()
    let draft = path + ".new"
    let file = try File.open(draft, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try File.writeAll(document.encoded(), to: file)
    guard rename(draft, path) == 0 else { throw SystemError(number: errno) }
  }

  private func makeDirectory() {
    var directory = ""
    for part in path.split(separator: "/").dropLast() {
      directory += "/" + part
      mkdir(directory, 0o755)
    }
  }

  static func secondsSinceBoot() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec)
  }
}
