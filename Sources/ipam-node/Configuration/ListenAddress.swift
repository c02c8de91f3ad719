import IPAddressing

/// An address and port of this host.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  let address: IPAddress
  let port: UInt16

  /// Where the agent answers unless told otherwise: nobody else's machine can ask.
  static let standard = ListenAddress(address: IPAddress(v4: 0x7F00_0001), port: 9098)

  init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Reads `127.0.0.1:9098` or `[::1]:9098`; nil for anything else.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    let isBracketed = host.first == "[" && host.last == "]"
    if isBracketed { host = host.dropFirst().dropLast() }
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(digits),
      port > 0, let address = IPAddress(String(host)), (address.family == .v6) == isBracketed
    else { return nil }
    self.init(address: address, port: port)
  }

  var description: String { address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}
