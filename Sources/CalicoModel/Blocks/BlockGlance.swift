public import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What can be told of a block from its text alone.
public enum BlockGlance {
  /// Whether a block has no address to give out, and none that might become free by cooling down.
  ///
  /// The texts looked for cannot stand inside a JSON string, where quotes are escaped. A block that is written with
  /// other white space is not recognised and has to be read.
  ///
  /// - Parameter document: the block as etcd and SQLite keep it.
  /// - Returns: true only when it is certain.
  public static func isFull(_ document: [UInt8]) -> Bool {
    contains(document, "\"unallocated\":[]") && !contains(document, "\"releasedAt\"")
  }

  /// The node that alone uses a block: it is affine to that node, and no address in it is recorded for another one.
  ///
  /// Where it finds no backslash, a member of some name stands in the text as that name in quotes. Each such place must
  /// go on as it does in what Calico and this project write; otherwise the block has to be read.
  ///
  /// - Parameters:
  ///   - document: the block as etcd and SQLite keep it.
  ///   - cidr: the network that the entry's key names.
  /// - Returns: the node's name; nil when it is not certain that there is such a node.
  public static func soleNode(_ document: [UInt8], _ cidr: CIDR) -> String? {
    guard document.first == UInt8(ascii: "{"), document.last == UInt8(ascii: "}"),
      !document.contains(UInt8(ascii: "\\"))
    else { return nil }
    return document.withUnsafeBytes { bytes in
      var name: UnsafeRawBufferPointer.SubSequence?
      var places = Places(of: "\"cidr\"", in: bytes)
      guard let network = places.next(), places.next() == nil,
        let written = bytes[network...].dropping(":\""), written.starts(with: cidr.description.utf8),
        written.dropFirst(cidr.description.utf8.count).first == UInt8(ascii: "\"")
      else { return nil }
      places = Places(of: "\"affinity\"", in: bytes)
      guard let affinity = places.next(), places.next() == nil,
        let text = bytes[affinity...].dropping(":\"host:"), let end = text.firstIndex(of: UInt8(ascii: "\"")),
        end > text.startIndex
      else { return nil }
      name = text[..<end]
      places = Places(of: "\"deleted\"", in: bytes)
      while let place = places.next() {
        if bytes[place...].dropping(":false") == nil { return nil }
      }
      places = Places(of: "\"node\"", in: bytes)
      while let place = places.next() {
        guard let name, let rest = bytes[place...].dropping(":\""), rest.starts(with: name),
          rest.dropFirst(name.count).first == UInt8(ascii: "\"")
        else { return nil }
      }
      return name.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private static func contains(_ document: [UInt8], _ text: StaticString) -> Bool {
    document.withUnsafeBytes { bytes in
      var places = Places(of: text, in: bytes)
      return places.next() != nil
    }
  }
}

/// Where a text stands in others, one place after the other: the index behind it.
private struct Places {
  private let text: StaticString
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(of text: StaticString, in bytes: UnsafeRawBufferPointer) {
    self.text = text
    self.bytes = bytes
  }

  mutating func next() -> Int? {
    // Every text begins with a quote, of which there are many; its second character is rarer.
    guard let start = bytes.baseAddress else { return nil }
    let length = text.utf8CodeUnitCount
    var place = offset + 1
    while place < bytes.count, let found = memchr(start + place, Int32(text.utf8Start[1]), bytes.count - place) {
      let first = UnsafeRawPointer(found) - start - 1
      if first + length <= bytes.count, memcmp(start + first, text.utf8Start, length) == 0 {
        offset = first + length
        return offset
      }
      place = first + 2
    }
    offset = bytes.count
    return nil
  }
}

extension UnsafeRawBufferPointer.SubSequence {
  /// What follows a text that this begins with; nil when it begins otherwise.
  fileprivate func dropping(_ text: StaticString) -> Self? {
    let length = text.utf8CodeUnitCount
    guard count >= length, text.withUTF8Buffer({ starts(with: $0) }) else { return nil }
    return dropFirst(length)
  }
}
