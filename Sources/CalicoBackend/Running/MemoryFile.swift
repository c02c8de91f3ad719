import CalicoEngine
import FileSystem
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What operations of one node remember for the next ones: where there was room, and which pools were full a moment ago.
///
/// A line each: a number for the request, the family, the block, until when the pools are taken for full, and a number
/// for what they were found full with. The file is a hint: it may be missing, stale or wrong, and is written without
/// asking for anything to be safe on disk.
struct MemoryFile {
  /// For how long pools that were found full are not searched again, in nanoseconds.
  private let exhaustionLifetime: UInt64
  private static let maximumLines = 32

  private struct Line {
    var request: UInt64
    var family: AddressFamily
    var room: CIDR?
    var isRoomFull: Bool
    /// CLOCK_BOOTTIME in nanoseconds; 0 when the pools are not known to be full.
    var exhaustedUntil: UInt64
    /// With what they were found full.
    var circumstances: UInt64
  }

  private let path: String
  private var lines: [Line] = []
  private var hasChanged = false

  /// Reads the file of a node.
  init(directory: String, node: String, exhaustionLifetime: UInt64) {
    self.exhaustionLifetime = exhaustionLifetime
    path = directory + "/" + Self.fileName(node)
    guard let bytes = try? File.contents(at: path) else { return }
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(Self.maximumLines) {
      if let line = Self.parse(String(decoding: line, as: UTF8.self)) { lines.append(line) }
    }
  }

  /// A node's name may have characters that a file's cannot.
  private static func fileName(_ node: String) -> String {
    String(decoding: node.utf8.map { $0 == UInt8(ascii: "/") || $0 == 0 ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
  }

  private static func parse(_ text: String) -> Line? {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 6, let request = UInt64(words[0], radix: 16),
      let family = UInt8(words[1]).flatMap({ AddressFamily(rawValue: $0) }), let until = UInt64(words[4]),
      let circumstances = UInt64(words[5], radix: 16)
    else { return nil }
    return Line(
      request: request, family: family, room: CIDR(String(words[2])), isRoomFull: words[3] == "full",
      exhaustedUntil: until, circumstances: circumstances)
  }

  /// The blocks in which operations of any kind found room, the latest first.
  var rooms: [CIDR] {
    var rooms: [CIDR] = []
    for line in lines {
      guard let room = line.room, !rooms.contains(room) else { continue }
      rooms.append(room)
    }
    return rooms
  }

  /// Whether the last operation left a block of a family with room.
  func hasRoom(_ family: AddressFamily) -> Bool {
    guard let line = lines.first(where: { $0.family == family }) else { return false }
    return line.room != nil && !line.isRoomFull && line.exhaustedUntil == 0
  }

  /// What is remembered for a request.
  func memory(_ request: UInt64, _ family: AddressFamily) -> FamilyMemory {
    guard let line = lines.first(where: { $0.request == request && $0.family == family }) else {
      return FamilyMemory()
    }
    let now = Self.now()
    // A time further ahead than any that was written is from before a reboot.
    let isExhausted = line.exhaustedUntil > now && line.exhaustedUntil - now <= exhaustionLifetime
    return FamilyMemory(
      room: line.room, isRoomFull: line.isRoomFull, isExhausted: isExhausted,
      circumstances: isExhausted ? line.circumstances : 0)
  }

  /// Remembers what an operation found out, when it is anything new.
  mutating func remember(_ memory: FamilyMemory, was known: FamilyMemory, _ request: UInt64, _ family: AddressFamily) {
    guard memory != known else { return }
    var line = Line(
      request: request, family: family, room: memory.room, isRoomFull: memory.isRoomFull, exhaustedUntil: 0,
      circumstances: memory.circumstances)
    if memory.isExhausted { line.exhaustedUntil = Self.now() + exhaustionLifetime }
    lines.removeAll { $0.request == request && $0.family == family }
    lines.insert(line, at: 0)
    hasChanged = true
  }

  /// Takes in that a block got free addresses.
  mutating func addressesBecameFree(in block: CIDR, isOwn: Bool) {
    for index in lines.indices where lines[index].family == block.address.family {
      if lines[index].exhaustedUntil != 0 {
        lines[index].exhaustedUntil = 0
        hasChanged = true
      }
      // Blocks are tried in the order of their keys' text.
      guard isOwn, let room = lines[index].room,
        room == block || block.description.utf8.lexicographicallyPrecedes(room.description.utf8)
      else { continue }
      if room != block || lines[index].isRoomFull { hasChanged = true }
      lines[index].room = block
      lines[index].isRoomFull = false
    }
  }

  /// Writes the file, if there is anything new. A host without a place for it goes without.
  func save() {
    guard hasChanged else { return }
    var text = ""
    for line in lines.prefix(Self.maximumLines) {
      text += String(line.request, radix: 16) + " " + String(line.family.rawValue) + " "
      text += (line.room?.description ?? "-") + " " + (line.isRoomFull ? "full" : "free") + " "
      text += String(line.exhaustedUntil) + " "
      text += String(line.circumstances, radix: 16) + "\n"
    }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    var file = try? File.open(path, flags, mode: 0o640)
    if file == nil {
      makeDirectory()
      file = try? File.open(path, flags, mode: 0o640)
    }
    if let file { try? File.writeAll(Array(text.utf8), to: file) }
  }

  private func makeDirectory() {
    let parts = path.split(separator: "/").dropLast()
    var directory = ""
    for part in parts {
      directory += "/" + part
      mkdir(directory, 0o755)
    }
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
