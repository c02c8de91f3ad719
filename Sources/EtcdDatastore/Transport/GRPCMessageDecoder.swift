import NIOCore

/// Cuts messages out of the bytes of DATA frames, whose boundaries mean nothing.
///
///      0        1                 5
///     +--------+-----------------+----------- - -
///     | 0 or 1 | length, 32 bits | message
///     +--------+-----------------+----------- - -
///
/// The first byte says whether the message is compressed, which we never ask for.
struct GRPCMessageDecoder {
  private var buffer = ByteBuffer()

  /// What a server sent is no message.
  struct Malformed: Error {
    let description: String
  }

  /// Whether a message has begun and is not complete.
  var isMidway: Bool { buffer.readableBytes > 0 }

  /// Takes in more bytes.
  mutating func append(_ bytes: inout ByteBuffer) {
    if buffer.readableBytes == 0 {
      // Mostly a frame is a message, or a message is many frames of which the first brings the length.
      buffer = bytes
    } else {
      buffer.writeBuffer(&bytes)
    }
  }

  /// The next complete message; nil when more bytes are needed.
  ///
  /// - Throws: ``Malformed`` for a message that is compressed.
  mutating func next() throws(Malformed) -> ByteBuffer? {
    guard let flag: UInt8 = buffer.getInteger(at: buffer.readerIndex),
      let length: UInt32 = buffer.getInteger(at: buffer.readerIndex + 1)
    else { return nil }
    guard flag == 0 else { throw Malformed(description: "a compressed message, which was not asked for") }
    guard buffer.readableBytes - 5 >= Int(length) else {
      // Once, so that a large message is not moved again and again while it grows.
      buffer.reserveCapacity(minimumWritableBytes: Int(min(length, 1 << 26)) + 5 - buffer.readableBytes)
      return nil
    }
    buffer.moveReaderIndex(forwardBy: 5)
    return buffer.readSlice(length: Int(length))
  }

  /// A message with its prefix.
  static func frame(_ message: [UInt8], _ allocator: ByteBufferAllocator) -> ByteBuffer {
    var frame = allocator.buffer(capacity: message.count + 5)
    frame.writeInteger(UInt8(0))
    frame.writeInteger(UInt32(truncatingIfNeeded: message.count))
    frame.writeBytes(message)
    return frame
  }
}
