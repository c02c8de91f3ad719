/// Bytes of a message that may say anything about themselves: every access is checked.
///
/// It does not own them. Whoever makes one keeps the bytes until it is done with it.
struct ByteView {
  private let memory: UnsafeRawBufferPointer

  init(_ memory: UnsafeRawBufferPointer) {
    self.memory = memory
  }

  var count: Int { memory.count }

  /// A number in host order; nil where the bytes end before it does.
  func integer<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number? {
    guard offset >= 0, offset <= memory.count - MemoryLayout<Number>.size else { return nil }
    return memory.loadUnaligned(fromByteOffset: offset, as: type)
  }

  /// The number that is all of the bytes, which may be more for it.
  func number<Number: FixedWidthInteger>(as type: Number.Type = Number.self) throws(MalformedMessage) -> Number {
    guard let number = integer(at: 0, as: type) else { throw MalformedMessage() }
    return number
  }

  /// A part; nil where the bytes end before it does.
  func part(from offset: Int, count: Int) -> ByteView? {
    guard offset >= 0, count >= 0, offset <= memory.count, count <= memory.count - offset else { return nil }
    return ByteView(UnsafeRawBufferPointer(rebasing: memory[offset..<offset + count]))
  }

  /// What is behind a place; nil when that is beyond the end.
  func rest(from offset: Int) -> ByteView? { part(from: offset, count: memory.count - offset) }

  /// The text up to a zero, or up to the end.
  var text: String { String(decoding: memory.prefix { $0 != 0 }, as: UTF8.self) }

  var bytes: some Collection<UInt8> { memory }
}

/// A message whose parts contradict each other, or end too early.
struct MalformedMessage: Error, Hashable {}
