/// Names that are made of a fixed prefix and a suffix of any length, and must not be longer than so many bytes
/// (front-end specification, section 1.5).
public enum LimitedName {
  /// Puts the two together, or the prefix and a part of the suffix's hash where that would be too long.
  ///
  /// The hash has 43 characters; upstream crashes where there is room for more, and here there are just those.
  ///
  /// - Parameters:
  ///   - prefix: what the name begins with.
  ///   - suffix: what tells it from others; an empty one becomes `_`.
  ///   - limit: the most bytes that the name may have.
  /// - Returns: the name.
  public static func make(prefix: String, suffix: String, limit: Int) -> String {
    if suffix.isEmpty { return prefix + "_" }
    let length = prefix.utf8.count + suffix.utf8.count
    // One of the full length that begins like a hash could be one.
    if length < limit || length == limit && !suffix.hasPrefix("_") { return prefix + suffix }
    let room = max(0, limit - 1 - prefix.utf8.count)
    return prefix + "_" + encoded(SHA256.hash(suffix.utf8)).prefix(room)
  }

  /// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5).
  private static func encoded(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      bits <<= UInt32(24 - 8 * group.count)
      for index in 0...group.count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)]) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
