/// Where an API server is: the parts of its URL.
struct ServerAddress: Hashable, Sendable {
  var usesTLS: Bool
  /// A name or an address; an IPv6 address without brackets.
  var host: String
  var port: Int
  /// What stands before every request's path; without a slash at its end, empty for nothing.
  var prefix: String

  /// Reads a URL such as `https://10.0.0.1:6443`; without a scheme it is `http`, as kubectl has it; nil when it is
  /// malformed.
  init?(_ url: String) {
    var rest = url[...]
    usesTLS = false
    if let range = Self.scheme(rest) {
      switch rest[..<range.lowerBound].lowercased() {
      case "https": usesTLS = true
      case "http": usesTLS = false
      default: return nil
      }
      rest = rest[range.upperBound...]
    }
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    var path = rest[end...]
    while path.last == "/" { path.removeLast() }
    guard !path.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else { return nil }
    prefix = String(path)
    var authority = rest[..<end]
    guard !authority.contains("@") else { return nil }
    if authority.first == "[" {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      host = String(authority[authority.index(after: authority.startIndex)..<close])
      authority = authority[authority.index(after: close)...]
    } else {
      let colon = authority.firstIndex(of: ":") ?? authority.endIndex
      host = String(authority[..<colon])
      authority = authority[colon...]
    }
    guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
    if authority.isEmpty {
      port = usesTLS ? 443 : 80
    } else {
      guard authority.first == ":", let number = UInt16(authority.dropFirst()), number != 0 else { return nil }
      port = Int(number)
    }
  }

  /// The URL of a host.
  func url(of host: String) -> String {
    "\(usesTLS ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)\(prefix)"
  }

  var url: String { url(of: host) }

  /// Host and port as messages name them.
  var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  private static func scheme(_ text: Substring) -> Range<Substring.Index>? {
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
    return colon..<text.index(colon, offsetBy: 3)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: ":"), UInt8(ascii: "%"):
      true
    default: false
    }
  }
}
