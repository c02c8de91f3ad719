/// A string of a document that is being read, such as a member's key: looked at in place where that is possible.
///
/// It must not outlive the document's bytes.
public struct JSONText {
  /// The bytes between the quotes.
  let raw: UnsafeRawBufferPointer
  /// The text, when it had escapes or ill-formed bytes and so is not what lies in the document.
  let decoded: String?

  /// Whether the text is this ASCII word.
  public func `is`(_ word: StaticString) -> Bool {
    if let decoded { return decoded == word.description }
    guard raw.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<raw.count where raw[index] != word.utf8Start[index] {
      return false
    }
    return true
  }

  /// The text.
  public var string: String { decoded ?? String(decoding: raw, as: UTF8.self) }

  /// Gives the text's UTF-8.
  public func withUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    guard var decoded else { return raw.withMemoryRebound(to: UInt8.self, body) }
    return decoded.withUTF8(body)
  }
}
