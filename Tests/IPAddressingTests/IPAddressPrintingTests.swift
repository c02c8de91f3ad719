import IPAddressing
import Testing

@Suite("Printing addresses")
struct IPAddressPrintingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var written: String
    var canonical: String
    var testDescription: String { "\(written) -> \(canonical)" }
  }

  @Test(
    "leading zeros of a group are left out (RFC 5952, section 4.1)",
    arguments: [
      Case(written: "2001:0db8::0001", canonical: "2001:db8::1"),
      Case(written: "2001:0db8:0010:0200:3000:000a:00b0:0c00", canonical: "2001:db8:10:200:3000:a:b0:c00"),
      Case(written: "0001:0010:0100:1000:0001:0010:0100:1000", canonical: "1:10:100:1000:1:10:100:1000"),
      Case(written: "2001:db8:aaaa:0000:eeee:ffff:1111:1", canonical: "2001:db8:aaaa:0:eeee:ffff:1111:1"),
    ])
  func leadingZeros(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test(
    "a double colon stands for as many groups as it can (RFC 5952, section 4.2.1)",
    arguments: [
      Case(written: "2001:db8:0:0:0:0:2:1", canonical: "2001:db8::2:1"),
      Case(written: "2001:db8::0:1", canonical: "2001:db8::1"),
      Case(written: "0:0:0:0:0:0:0:0", canonical: "::"),
      Case(written: "0:0:0:0:0:0:0:1", canonical: "::1"),
      Case(written: "1:0:0:0:0:0:0:0", canonical: "1::"),
      Case(written: "1:2:3:4:5:6:0:0", canonical: "1:2:3:4:5:6::"),
      Case(written: "0:0:3:4:5:6:7:8", canonical: "::3:4:5:6:7:8"),
      Case(written: "fe80:0:0:0:1:2:3:4", canonical: "fe80::1:2:3:4"),
    ])
  func longestPossible(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test(
    "a single zero group is written out (RFC 5952, section 4.2.2)",
    arguments: [
      Case(written: "2001:db8::1:1:1:1:1", canonical: "2001:db8:0:1:1:1:1:1"),
      Case(written: "::2:3:4:5:6:7:8", canonical: "0:2:3:4:5:6:7:8"),
      Case(written: "1:2:3:4:5:6:7::", canonical: "1:2:3:4:5:6:7:0"),
      Case(written: "1:0:3:0:5:0:7:0", canonical: "1:0:3:0:5:0:7:0"),
      Case(written: "0:2:0:4:0:6:0:8", canonical: "0:2:0:4:0:6:0:8"),
    ])
  func singleZeroGroup(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test(
    "the longest run is shortened, on a tie the first one (RFC 5952, section 4.2.3)",
    arguments: [
      Case(written: "2001:0:0:1:0:0:0:1", canonical: "2001:0:0:1::1"),
      Case(written: "2001:db8:0:0:1:0:0:1", canonical: "2001:db8::1:0:0:1"),
      Case(written: "2001:0:0:0:1:0:0:1", canonical: "2001::1:0:0:1"),
      Case(written: "0:0:1:0:0:1:0:0", canonical: "::1:0:0:1:0:0"),
      Case(written: "0:0:1:2:3:0:0:0", canonical: "0:0:1:2:3::"),
      Case(written: "0:1:0:0:2:0:0:3", canonical: "0:1::2:0:0:3"),
      Case(written: "1:0:0:2:0:0:0:0", canonical: "1:0:0:2::"),
    ])
  func longestRun(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test(
    "letters are lower case (RFC 5952, section 4.3)",
    arguments: [
      Case(written: "2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA", canonical: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"),
      Case(written: "FE80::ABCD:EF01", canonical: "fe80::abcd:ef01"),
      Case(written: "FFFF:ffff:FFFF:ffff:FFFF:ffff:FFFF:ffff", canonical: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
  func letters(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test(
    "a mapped address is printed as IPv4, an IPv4-compatible one as IPv6",
    arguments: [
      Case(written: "::ffff:192.0.2.1", canonical: "192.0.2.1"),
      Case(written: "::ffff:0:0", canonical: "0.0.0.0"),
      Case(written: "::ffff:ffff:ffff", canonical: "255.255.255.255"),
      Case(written: "::192.0.2.1", canonical: "::c000:201"),
      Case(written: "64:ff9b::192.0.2.33", canonical: "64:ff9b::c000:221"),
    ])
  func embeddedV4(example: Case) throws {
    #expect(try #require(IPAddress(example.written)).description == example.canonical)
  }

  @Test("every byte of an IPv4 address is printed in decimal")
  func decimalBytes() {
    for byte in UInt32(0)...255 {
      let number = byte << 24 | (255 - byte) << 16 | byte << 8 | (255 - byte)
      #expect(IPAddress(v4: number).description == "\(byte).\(255 - byte).\(byte).\(255 - byte)")
    }
  }

  @Test("every number of a group is printed in hexadecimal")
  func hexadecimalGroups() {
    for group in stride(from: UInt128(1), through: 0xFFFF, by: 7) {
      let address = IPAddress(v6: 0x2001 << 112 | group << 16 | 1)
      #expect(address.description == "2001::\(String(group, radix: 16)):1")
    }
  }
}
