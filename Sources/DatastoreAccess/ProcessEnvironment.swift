import FileSystem

/// The variables that this process was started with.
public enum ProcessEnvironment {
  /// All variables by their names.
  public static var variables: [String: String] {
    // Without /proc no statically linked program of this kind starts.
    guard let bytes = try? File.contents(at: "/proc/self/environ") else { return [:] }
    return variables(in: bytes)
  }

  /// Takes `NAME=value` apart, each ended by a zero byte; of several of one name the first counts, as for getenv(3).
  static func variables(in bytes: [UInt8]) -> [String: String] {
    var variables: [String: String] = [:]
    for entry in bytes.split(separator: 0) {
      let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      let name = String(decoding: parts[0], as: UTF8.self)
      if variables[name] == nil { variables[name] = String(decoding: parts[1], as: UTF8.self) }
    }
    return variables
  }
}
