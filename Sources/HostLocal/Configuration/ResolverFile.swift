import CNI
import FileSystem
import IPAM

/// Reads DNS settings from a file in the form of resolv.conf (host-local specification, section 2.7).
enum ResolverFile {
  /// Lines of this many bytes are refused, as upstream does.
  private static let lineLimit = 65536

  /// Reads the file at `path`.
  ///
  /// - Throws: ``HostLocalError`` when it cannot be read, or has an overlong line.
  static func read(_ path: String) throws(HostLocalError) -> DNSConfiguration {
    try parse(File.contents(of: path))
  }

  /// Reads settings from the file's bytes.
  static func parse(_ bytes: [UInt8]) throws(HostLocalError) -> DNSConfiguration {
    var dns = DNSConfiguration()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
      guard line.count < lineLimit else { throw HostLocalError(.configuration, "bufio.Scanner: token too long") }
      let words = String(decoding: line, as: UTF8.self).unicodeScalars.split(whereSeparator: WhiteSpace.contains)
      guard words.count >= 2, let first = words.first?.first, first != "#", first != ";" else { continue }
      let values = words.dropFirst().map { String($0) }
      switch String(words[0]) {
      case "nameserver": dns.nameservers.append(values[0])
      case "domain": dns.domain = values[0]
      case "search": dns.search += values
      case "options": dns.options += values
      default: break
      }
    }
    return dns
  }
}
