/// Paths of requests.
enum ResourcePath {
  /// The path of one object.
  static func object(_ collection: String, _ name: String) -> String { collection + "/" + encoded(name) }

  /// A path with its query; parameters without a value are left out.
  static func query(_ path: String, _ parameters: [(String, String?)]) -> String {
    let given = parameters.compactMap { name, value in value.map { name + "=" + encoded($0) } }
    return given.isEmpty ? path : path + "?" + given.joined(separator: "&")
  }

  /// A text in which everything but unreserved characters is percent-encoded (RFC 3986, section 2.3).
  static func encoded(_ text: String) -> String {
    var result: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.append(byte)
      default:
        let digits = Array("0123456789ABCDEF".utf8)
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
