import Datastore
import IPAddressing

/// Where a member of a cluster listens.
struct EtcdEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// A name, or an address without brackets.
  var host: String
  var port: Int
  var usesTLS: Bool

  /// The port that members listen on for clients unless told otherwise.
  static let defaultPort = 2379

  init(host: String, port: Int, usesTLS: Bool) {
    self.host = host
    self.port = port
    self.usesTLS = usesTLS
  }

  /// Reads an endpoint as people write it: `https://10.0.0.1:2379`, `http://[fd00::1]:2379`, `10.0.0.1:2379`.
  ///
  /// - Parameters:
  ///   - text: the endpoint.
  ///   - hasMaterial: whether there are certificates or keys, which decides where no scheme does.
  /// - Throws: `DatastoreError` when it is none.
  init(_ text: String, hasMaterial: Bool) throws(DatastoreError) {
    func refuse(_ reason: String) -> DatastoreError {
      DatastoreError(
        .unusable, "the etcd endpoint \"\(text)\" \(reason)",
        advice: "write it like https://10.0.0.1:2379, several with commas between them")
    }
    var rest = Substring(text)
    usesTLS = hasMaterial
    if let scheme = Self.cut(&rest, before: "://") {
      switch scheme {
      case "http": usesTLS = false
      case "https": usesTLS = true
      default: throw refuse("has a scheme that is neither http nor https")
      }
    }
    if rest.hasSuffix("/") { rest.removeLast() }
    guard !rest.isEmpty else { throw refuse("names no host") }
    guard !rest.contains("/"), !rest.contains("@") else { throw refuse("is more than a host and a port") }
    port = Self.defaultPort
    if rest.first == "[" {
      guard let end = rest.firstIndex(of: "]"), IPAddress(rest[..<end].dropFirst())?.family == .v6 else {
        throw refuse("has brackets around what is no IPv6 address")
      }
      host = String(rest[..<end].dropFirst())
      rest = rest[rest.index(after: end)...]
      guard !rest.isEmpty else { return }
      guard rest.first == ":", let number = UInt16(rest.dropFirst()), number > 0 else {
        throw refuse("has no valid port")
      }
      port = Int(number)
    } else if IPAddress(rest)?.family == .v6 {
      host = String(rest)
    } else {
      let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, !parts[0].isEmpty else { throw refuse("is no host and port") }
      host = String(parts[0])
      guard parts.count == 2 else { return }
      guard let number = UInt16(parts[1]), number > 0 else { throw refuse("has no valid port") }
      port = Int(number)
    }
  }

  private static func cut(_ text: inout Substring, before separator: String) -> String? {
    let mark = Array(separator.utf8)
    let bytes = Array(text.utf8)
    guard bytes.count >= mark.count else { return nil }
    for start in 0...(bytes.count - mark.count) where Array(bytes[start..<start + mark.count]) == mark {
      defer { text = Substring(String(decoding: bytes[(start + mark.count)...], as: UTF8.self)) }
      return String(decoding: bytes[..<start], as: UTF8.self)
    }
    return nil
  }

  /// Whether the host is an address, for which nobody has to be asked.
  var isAddress: Bool { IPAddress(host) != nil }

  /// Host and port as requests carry them.
  var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

  var scheme: String { usesTLS ? "https" : "http" }

  var description: String { scheme + "://" + authority }
}
