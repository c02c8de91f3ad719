#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Who holds a lock, as the kernel lists it.
public enum LockHolder {
  /// `process 4711 (host-local)`, or nil when no holder is listed.
  public static func describe(_ file: borrowing FileDescriptor) -> String? {
    // Nobody is harmed when the list cannot be read: the message says so.
    guard let status = try? File.status(of: file), let table = try? File.contents(at: "/proc/locks") else { return nil }
    let device = "\(hexadecimal(major(status.st_dev))):\(hexadecimal(minor(status.st_dev))):\(status.st_ino)"
    for line in table.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      // "1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234 0 EOF"; waiters have an arrow for their second word.
      guard words.count >= 6, words[1] == "FLOCK", words[5] == device else { continue }
      let command = (try? File.contents(at: "/proc/\(words[4])/comm")) ?? []
      let name = String(decoding: command.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
      return "process \(words[4])" + (name.isEmpty ? "" : " (\(name))")
    }
    return nil
  }

  private static func hexadecimal(_ number: UInt32) -> String {
    let text = String(number, radix: 16)
    return text.utf8.count < 2 ? "0" + text : text
  }

  private static func major(_ device: dev_t) -> UInt32 { UInt32(truncatingIfNeeded: device >> 8 & 0xFFF) }

  private static func minor(_ device: dev_t) -> UInt32 {
    UInt32(truncatingIfNeeded: device & 0xFF | device >> 12 & 0xFFF00)
  }
}
