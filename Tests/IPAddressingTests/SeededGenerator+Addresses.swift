import IPAddressing
import TestSupport

extension SeededGenerator {
  /// An IPv6 number in which zero groups, and runs of them, are frequent.
  mutating func nextV6Number() -> UInt128 {
    (0..<8).reduce(UInt128(0)) { number, _ in
      let group: UInt16 =
        switch Int.random(in: 0..<6, using: &self) {
        case 0, 1, 2: 0
        case 3: UInt16.random(in: 1...0xF, using: &self)
        case 4: 0xFFFF
        default: UInt16.random(in: 0...0xFFFF, using: &self)
        }
      return number << 16 | UInt128(group)
    }
  }

  /// An IPv4 number in which the bytes 0, 1 and 255 are frequent.
  mutating func nextV4Number() -> UInt32 {
    (0..<4).reduce(UInt32(0)) { number, _ in
      let byte: UInt32 =
        switch Int.random(in: 0..<5, using: &self) {
        case 0: 0
        case 1: 1
        case 2: 255
        default: UInt32.random(in: 0...255, using: &self)
        }
      return number << 8 | byte
    }
  }

  /// An address of either family.
  mutating func nextAddress() -> IPAddress {
    Bool.random(using: &self) ? IPAddress(v4: nextV4Number()) : IPAddress(v6: nextV6Number())
  }
}
