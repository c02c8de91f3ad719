#if canImport(Glibc)
  public import Glibc
#elseif canImport(Musl)
  public import Musl
#endif

/// Who holds a lock, as the kernel lists it.
public enum LockHolder {
  /// The process that holds the flock(2) of an open file; nil when none can be seen from here.
  ///
  /// - Parameter file: the file's descriptor.
  /// - Returns: the process.
  public static func process(of file: Int32) -> pid_t? {
    var status = stat()
    // Nobody is harmed when the list cannot be read: messages say so.
    guard fstat(file, &status) == 0, let table = try? File.contents(at: "/proc/locks") else { return nil }
    let device = "\(hexadecimal(major(status.st_dev))):\(hexadecimal(minor(status.st_dev))):\(status.st_ino)"
    for line in table.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      // "1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234 0 EOF"; waiters have an arrow for their second word. A process of
      // another PID namespace has no number here.
      guard words.count >= 6, words[1] == "FLOCK", words[5] == device else { continue }
      return pid_t(words[4]).flatMap { $0 > 0 ? $0 : nil }
    }
    return nil
  }

  /// Who holds the flock(2) of an open file, such as `process 4711 (host-local)`.
  ///
  /// - Parameter file: the file's descriptor.
  /// - Returns: words for a message.
  public static func describe(_ file: Int32) -> String {
    guard let process = process(of: file) else { return "a process that cannot be seen from here" }
    let command = (try? File.contents(at: "/proc/\(process)/comm")) ?? []
    let name = String(decoding: command.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return "process \(process)" + (name.isEmpty ? "" : " (\(name))")
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
