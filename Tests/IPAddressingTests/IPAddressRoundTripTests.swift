import IPAddressing
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Addresses there and back")
struct IPAddressRoundTripTests {
  /// nil stands for a seed of its own in every run.
  static let seeds: [UInt64?] = [nil, 1, 2]

  @Test("an IPv4 number survives being printed and read", arguments: seeds)
  func v4(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<4_000 {
      let number = generator.nextV4Number()
      let address = IPAddress(v4: number)
      let again = IPAddress(address.description)
      #expect(again == address && again?.number == UInt128(number), "seed \(seed), round \(round): \(address)")
      let mapped = IPAddress("::ffff:\(address)")
      #expect(mapped == address, "seed \(seed), round \(round): \(address)")
    }
  }

  @Test("an IPv6 number survives being printed and read", arguments: seeds)
  func v6(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<4_000 {
      let number = generator.nextV6Number()
      guard number >> 32 != 0xFFFF else { continue }
      let address = IPAddress(v6: number)
      let again = IPAddress(address.description)
      #expect(again == address && again?.number == number, "seed \(seed), round \(round): \(address)")
    }
  }

  @Test("all eight groups written out are read as the same number", arguments: seeds)
  func writtenOut(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<2_000 {
      let number = generator.nextV6Number()
      let groups = (0..<8).map { index in
        let digits = String(number >> UInt128(112 - 16 * index) & 0xFFFF, radix: 16, uppercase: round % 2 == 0)
        return round % 3 == 0 ? String(repeating: "0", count: 4 - digits.count) + digits : digits
      }
      let text = groups.joined(separator: ":")
      #expect(IPAddress(text) == IPAddress(v6: number), "seed \(seed), round \(round): \(text)")
    }
  }

  @Test("a CIDR survives being printed and read", arguments: seeds)
  func cidr(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<2_000 {
      let address = generator.nextAddress()
      let length = Int.random(in: 0...address.family.bitWidth, using: &generator)
      let cidr = CIDR(address, prefixLength: length)
      #expect(cidr != nil && CIDR("\(address)/\(length)") == cidr, "seed \(seed), round \(round): \(address)/\(length)")
    }
  }
}

/// The C library's functions differ from ours only in that they print IPv4-compatible and mapped addresses with a
/// dotted tail, and keep mapped addresses in IPv6.
@Suite("Addresses as the C library has them")
struct CLibraryTests {
  private static func printed(_ family: Int32, _ bytes: [UInt8]) -> String? {
    var buffer = [CChar](repeating: 0, count: 64)
    guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func read(_ text: String) -> IPAddress? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 {
      return IPAddress(v4: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    return IPAddress(v6: bytes.reduce(0) { $0 << 8 | UInt128($1) })
  }

  @Test("inet_ntop prints the same text", arguments: IPAddressRoundTripTests.seeds)
  func printing(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<4_000 {
      let v4 = generator.nextV4Number()
      let v4Bytes = (0..<4).map { UInt8(truncatingIfNeeded: v4 >> UInt32(24 - 8 * $0)) }
      #expect(Self.printed(AF_INET, v4Bytes) == IPAddress(v4: v4).description, "seed \(seed), round \(round)")
      let v6 = generator.nextV6Number()
      guard v6 >> 32 != 0, v6 >> 32 != 0xFFFF else { continue }
      let v6Bytes = (0..<16).map { UInt8(truncatingIfNeeded: v6 >> UInt128(120 - 8 * $0)) }
      #expect(Self.printed(AF_INET6, v6Bytes) == IPAddress(v6: v6).description, "seed \(seed), round \(round)")
    }
  }

  @Test("inet_pton takes and refuses the same mutations of addresses", arguments: IPAddressRoundTripTests.seeds)
  func reading(fixedSeed: UInt64?) {
    let seed = fixedSeed ?? UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("0123456789abcdefF::::....%/ g".utf8)
    let tails = ["", ":1.2.3.4", "::10.0.200.255", "::"]
    var (taken, refused) = (0, 0)
    for round in 0..<20_000 {
      var text = Array((generator.nextAddress().description + (tails.randomElement(using: &generator) ?? "")).utf8)
      for _ in 0..<Int.random(in: 0...3, using: &generator) where !text.isEmpty {
        let index = Int.random(in: text.indices, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: text[index] = alphabet.randomElement(using: &generator) ?? 0x30
        case 1: text.insert(alphabet.randomElement(using: &generator) ?? 0x30, at: index)
        default: text.remove(at: index)
        }
      }
      let string = String(decoding: text, as: UTF8.self)
      let ours = IPAddress(string)
      #expect(ours == Self.read(string), "seed \(seed), round \(round): \(string)")
      if ours == nil { refused += 1 } else { taken += 1 }
    }
    #expect(taken > 2_000 && refused > 2_000, "lopsided: \(taken) taken, \(refused) refused; seed \(seed)")
  }
}
