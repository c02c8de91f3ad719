import IPAddressing
import Testing

@Suite("Refusing what is no address")
struct IPAddressRejectionTests {
  @Test(
    "a leading zero in a decimal part is refused",
    arguments: [
      "01.2.3.4", "1.02.3.4", "1.2.03.4", "1.2.3.04", "00.0.0.0", "0.0.0.00", "010.1.2.3", "000.0.0.0",
      "::01.2.3.4", "::ffff:1.2.3.04", "1:2:3:4:5:6:7.8.9.010",
    ])
  func leadingZero(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "anything but four decimal parts is refused",
    arguments: [
      "1", "1.2", "1.2.3", "10.1", "1.2.3.", ".1.2.3", "1..2.3", "1.2..3", "...", ".", "1.2.3.4.", ".1.2.3.4",
      "1.2.3.4.5", "3221225985", "0xC0000201", "1.2.3.0x4", "1.2.3.a", "a.b.c.d", "1.2.3.-4", "+1.2.3.4", "1,2,3,4",
    ])
  func partsOfV4(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a decimal part above 255 is refused",
    arguments: [
      "256.0.0.1", "0.256.0.1", "0.0.256.1", "0.0.0.256", "1.2.3.260", "1.2.3.999", "1.2.3.1000", "1.2.3.4294967296",
      "1.2.3.99999999999999999999", "::ffff:256.0.0.1", "::1.2.3.256",
    ])
  func partTooLarge(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a zone is refused",
    arguments: ["fe80::1%eth0", "fe80::1%", "fe80::1%1", "::1%lo", "%eth0", "1.2.3.4%eth0", "::%"])
  func zone(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "blanks and line ends are refused",
    arguments: [
      "", " ", "\n", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4\r\n", "\t1.2.3.4", "1. 2.3.4", "1 .2.3.4", " ::1",
      "::1 ", "::1\n", ": :1", ":: 1", "1.2.3.4\0", "::1\0", "\u{A0}1.2.3.4", "\u{FEFF}::1",
    ])
  func blanks(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "eight groups are needed, and no more are taken",
    arguments: [
      "1", "a", "1:", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:9", "0:0:0:0:0:0:0:0:0",
      "1:2:3:4:5:6:7:8:", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7::8",
    ])
  func groups(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a second double colon is refused",
    arguments: ["::1::", "1::2::3", "1::2::", "::1::2", "::::", ":::", "1:::2", "::1:::", "1::2:3::4"])
  func secondGap(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a single colon at an end is refused",
    arguments: [
      ":", ":1", "1:", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:", "::1:", ":1::", "1::2:", ":1.2.3.4", "::1.2.3.4:",
    ])
  func looseColon(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a group of five digits, or with other characters, is refused",
    arguments: ["12345::", "::12345", "::00001", "1:22222::", "g::", "::g", "::-1", "::+1", "::0x1", "1:2:é::", "::１"])
  func groupText(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a dotted tail is refused anywhere but in place of the last two groups",
    arguments: [
      "1.2.3.4::", "1.2.3.4::1", "1.2.3.4:1::", "::1.2.3.4:1", "1:1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4",
      "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::1.2.3.4",
      "1:2:3:4:5:6:7:8:1.2.3.4",
    ])
  func misplacedTail(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "a malformed dotted tail is refused",
    arguments: [
      "::1.2.3", "::1.2", "::1.", "::.1", "::1.2.3.4.5", "::1.2.3.", "::.1.2.3", "::1..2.3", "::a.2.3.4", "::1.2.3.a",
      "::1234.2.3.4", "::ffff:1.2.3", "::ffff:1.2.3.4%1", "::12345.1.1.1",
    ])
  func malformedTail(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "more than an address is refused",
    arguments: ["1.2.3.4/24", "::1/128", "[::1]", "[::1]:80", "1.2.3.4:80", "1.2.3.4,1.2.3.5", "host", "::1;", "null"])
  func decorated(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test("digits of other scripts are refused")
  func otherDigits() {
    #expect(IPAddress("١.٢.٣.٤") == nil)
    #expect(IPAddress("１.２.３.４") == nil)
    #expect(IPAddress("1。2。3。4") == nil)
    #expect(IPAddress("1\u{301}.2.3.4") == nil)
  }
}
