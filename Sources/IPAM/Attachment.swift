/// One interface of one container on one network: what an address is given to.
public struct Attachment: Hashable, Sendable {
  /// The runtime's name for the container; checked by ``isValid(containerID:)`` where it enters.
  public let containerID: String
  /// The interface inside the container.
  public let interfaceName: InterfaceName

  public init(containerID: String, interfaceName: InterfaceName) {
    self.containerID = containerID
    self.interfaceName = interfaceName
  }

  /// Whether `text` may name a container or a network: a letter or digit, then letters, digits, `_`, `.` and `-`, all
  /// of them ASCII (CNI specification, section 2).
  public static func isValid(containerID text: [UInt8]) -> Bool {
    guard let first = text.first, isLetterOrDigit(first) else { return false }
    return text.allSatisfy { byte in
      isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

/// The name of a network interface, as bytes: the kernel gives them no encoding.
public struct InterfaceName: Hashable, Sendable, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  public init(_ text: String) {
    self.bytes = Array(text.utf8)
  }

  /// The name as text, with U+FFFD for what is not UTF-8.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
