import IPAddressing
import Testing

@Suite("Reading addresses")
struct IPAddressParsingTests {
  struct V4Case: Sendable, CustomTestStringConvertible {
    var text: String
    var number: UInt32
    var testDescription: String { text }
  }

  @Test(
    "four decimal parts are an IPv4 address",
    arguments: [
      V4Case(text: "0.0.0.0", number: 0),
      V4Case(text: "0.0.0.1", number: 1),
      V4Case(text: "1.2.3.4", number: 0x0102_0304),
      V4Case(text: "10.1.2.88", number: 0x0A01_0258),
      V4Case(text: "127.0.0.1", number: 0x7F00_0001),
      V4Case(text: "192.0.2.1", number: 0xC000_0201),
      V4Case(text: "199.200.249.250", number: 0xC7C8_F9FA),
      V4Case(text: "255.255.255.255", number: 0xFFFF_FFFF),
    ])
  func v4(example: V4Case) throws {
    let address = try #require(IPAddress(example.text))
    #expect(address.family == .v4)
    #expect(address.number == UInt128(example.number))
    #expect(address == IPAddress(v4: example.number))
  }

  struct V6Case: Sendable, CustomTestStringConvertible {
    var text: String
    var number: UInt128
    var testDescription: String { text }
  }

  @Test(
    "the forms of RFC 4291 section 2.2 are IPv6 addresses",
    arguments: [
      V6Case(text: "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", number: 0xABCD_EF01_2345_6789_ABCD_EF01_2345_6789),
      V6Case(text: "2001:DB8:0:0:8:800:200C:417A", number: 0x2001_0DB8_0000_0000_0008_0800_200C_417A),
      V6Case(text: "2001:DB8::8:800:200C:417A", number: 0x2001_0DB8_0000_0000_0008_0800_200C_417A),
      V6Case(text: "FF01:0:0:0:0:0:0:101", number: 0xFF01_0000_0000_0000_0000_0000_0000_0101),
      V6Case(text: "FF01::101", number: 0xFF01_0000_0000_0000_0000_0000_0000_0101),
      V6Case(text: "0:0:0:0:0:0:0:1", number: 1),
      V6Case(text: "::1", number: 1),
      V6Case(text: "0:0:0:0:0:0:0:0", number: 0),
      V6Case(text: "::", number: 0),
      V6Case(text: "0:0:0:0:0:0:13.1.68.3", number: 0x0D01_4403),
      V6Case(text: "::13.1.68.3", number: 0x0D01_4403),
      V6Case(text: "2001:0db8:0000:cd30:0000:0000:0000:0000", number: 0x2001_0DB8_0000_CD30_0000_0000_0000_0000),
      V6Case(text: "2001:0DB8::CD30:0:0:0:0", number: 0x2001_0DB8_0000_CD30_0000_0000_0000_0000),
      V6Case(text: "2001:0DB8:0:CD30::", number: 0x2001_0DB8_0000_CD30_0000_0000_0000_0000),
      V6Case(text: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa", number: 0x2001_0DB8_AAAA_BBBB_CCCC_DDDD_EEEE_AAAA),
    ])
  func v6(example: V6Case) throws {
    let address = try #require(IPAddress(example.text))
    #expect(address.family == .v6)
    #expect(address.number == example.number)
    #expect(address == IPAddress(v6: example.number))
  }

  @Test(
    "a double colon may stand for one group or more, in any place",
    arguments: [
      V6Case(text: "::2:3:4:5:6:7:8", number: 0x0000_0002_0003_0004_0005_0006_0007_0008),
      V6Case(text: "1::3:4:5:6:7:8", number: 0x0001_0000_0003_0004_0005_0006_0007_0008),
      V6Case(text: "1:2:3:4::6:7:8", number: 0x0001_0002_0003_0004_0000_0006_0007_0008),
      V6Case(text: "1:2:3:4:5:6::8", number: 0x0001_0002_0003_0004_0005_0006_0000_0008),
      V6Case(text: "1:2:3:4:5:6:7::", number: 0x0001_0002_0003_0004_0005_0006_0007_0000),
      V6Case(text: "1::8", number: 0x0001_0000_0000_0000_0000_0000_0000_0008),
      V6Case(text: "1::7:8", number: 0x0001_0000_0000_0000_0000_0000_0007_0008),
      V6Case(text: "1:2::8", number: 0x0001_0002_0000_0000_0000_0000_0000_0008),
      V6Case(text: "1::", number: 0x0001_0000_0000_0000_0000_0000_0000_0000),
    ])
  func gap(example: V6Case) throws {
    #expect(try #require(IPAddress(example.text)).number == example.number)
  }

  @Test(
    "a dotted tail takes the place of the last two groups",
    arguments: [
      V6Case(text: "1:2:3:4:5:6:7.8.9.10", number: 0x0001_0002_0003_0004_0005_0006_0708_090A),
      V6Case(text: "1:2:3:4:5::7.8.9.10", number: 0x0001_0002_0003_0004_0005_0000_0708_090A),
      V6Case(text: "1:2:3:4::7.8.9.10", number: 0x0001_0002_0003_0004_0000_0000_0708_090A),
      V6Case(text: "1:2:3::7.8.9.10", number: 0x0001_0002_0003_0000_0000_0000_0708_090A),
      V6Case(text: "1:2::7.8.9.10", number: 0x0001_0002_0000_0000_0000_0000_0708_090A),
      V6Case(text: "1::7.8.9.10", number: 0x0001_0000_0000_0000_0000_0000_0708_090A),
      V6Case(text: "::7.8.9.10", number: 0x0708_090A),
      V6Case(text: "::6:7.8.9.10", number: 0x0000_0000_0000_0000_0000_0006_0708_090A),
      V6Case(text: "::2:3:4:5:6:7.8.9.10", number: 0x0000_0002_0003_0004_0005_0006_0708_090A),
      V6Case(text: "64:ff9b::192.0.2.33", number: 0x0064_FF9B_0000_0000_0000_0000_C000_0221),
    ])
  func dottedTail(example: V6Case) throws {
    let address = try #require(IPAddress(example.text))
    #expect(address.family == .v6)
    #expect(address.number == example.number)
  }

  @Test(
    "an IPv4-mapped address is the IPv4 address, however it is written",
    arguments: [
      "::ffff:192.0.2.1", "::FFFF:192.0.2.1", "::ffff:c000:201", "::ffff:C000:0201", "0:0:0:0:0:ffff:192.0.2.1",
      "0000:0000:0000:0000:0000:ffff:c000:0201", "0::ffff:192.0.2.1", "0:0::0:ffff:c000:201",
    ])
  func mapped(text: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address == IPAddress(v4: 0xC000_0201))
    #expect(address.family == .v4)
    #expect(address.hashValue == IPAddress("192.0.2.1")?.hashValue)
  }

  @Test(
    "neighbours of the mapped range stay IPv6",
    arguments: ["::fffe:192.0.2.1", "::1:ffff:192.0.2.1", "::ffff:0:192.0.2.1", "ffff::192.0.2.1", "::192.0.2.1"])
  func notMapped(text: String) throws {
    #expect(try #require(IPAddress(text)).family == .v6)
  }

  @Test("the longest text of an address is read, one more byte is not")
  func longest() throws {
    let longest = "0000:0000:0000:0000:0000:ffff:255.255.255.255"
    #expect(longest.utf8.count == 45)
    #expect(IPAddress(longest) == IPAddress(v4: .max))
    #expect(IPAddress("0" + longest) == nil)
    #expect(IPAddress(longest + "0") == nil)
  }

  @Test("a part of a text is read as the part alone")
  func substring() {
    let text = "10.1.2.3,2001:db8::1"
    let parts = text.split(separator: ",")
    #expect(parts.map { IPAddress($0) } == [IPAddress(v4: 0x0A01_0203), IPAddress(v6: 0x2001_0DB8 << 96 | 1)])
  }

  @Test("bytes are read like text")
  func bytes() {
    let texts = ["10.1.2.3", "2001:db8::1", "::ffff:1.2.3.4", "", "10.1.2", "10.1.2.3\n", "\0", "10.1.2.3\0"]
    for text in texts {
      let address = Array(text.utf8).withUnsafeBufferPointer { IPAddress(utf8: $0) }
      #expect(address == IPAddress(text), "\(text.debugDescription)")
    }
    let notText: [UInt8] = [0x31, 0x2E, 0x32, 0x2E, 0x33, 0x2E, 0xFF]
    #expect(notText.withUnsafeBufferPointer { IPAddress(utf8: $0) } == nil)
  }
}
