import IPAddressing
import Testing

@Suite("CIDR as written")
struct WrittenCIDRTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var address: String
    var length: Int
    var isMapped = false
    var normalized: String
    var testDescription: String { text }
  }

  @Test(
    "address and length are kept, and a mapped address is known as such",
    arguments: [
      Case(text: "192.0.2.0/24", address: "192.0.2.0", length: 24, normalized: "192.0.2.0/24"),
      Case(text: "172.16.5.9/12", address: "172.16.5.9", length: 12, normalized: "172.16.5.9/12"),
      Case(text: "0.0.0.0/0", address: "0.0.0.0", length: 0, normalized: "0.0.0.0/0"),
      Case(text: "10.0.0.1/32", address: "10.0.0.1", length: 32, normalized: "10.0.0.1/32"),
      Case(text: "2001:DB8::/048", address: "2001:db8::", length: 48, normalized: "2001:db8::/48"),
      Case(text: "::/0", address: "::", length: 0, normalized: "::/0"),
      Case(text: "::1/128", address: "::1", length: 128, normalized: "::1/128"),
      Case(text: "::1.2.3.4/120", address: "::102:304", length: 120, normalized: "::102:304/120"),
    ])
  func plain(example: Case) throws {
    let written = try #require(WrittenCIDR(example.text))
    #expect(written.address.description == example.address)
    #expect(written.prefixLength == example.length)
    #expect(!written.isMapped)
    #expect(written.normalized.description == example.normalized)
    #expect(CIDR(example.text) == written.normalized)
  }

  @Test(
    "96 is taken off the length of a mapped address, down to 0",
    arguments: [
      Case(text: "::ffff:1.2.3.4/128", address: "1.2.3.4", length: 128, isMapped: true, normalized: "1.2.3.4/32"),
      Case(text: "::ffff:192.0.2.0/120", address: "192.0.2.0", length: 120, isMapped: true, normalized: "192.0.2.0/24"),
      Case(text: "::ffff:c000:200/120", address: "192.0.2.0", length: 120, isMapped: true, normalized: "192.0.2.0/24"),
      Case(text: "::ffff:1.2.3.4/97", address: "1.2.3.4", length: 97, isMapped: true, normalized: "1.2.3.4/1"),
      Case(text: "::ffff:1.2.3.4/96", address: "1.2.3.4", length: 96, isMapped: true, normalized: "1.2.3.4/0"),
      Case(text: "::ffff:1.2.3.4/95", address: "1.2.3.4", length: 95, isMapped: true, normalized: "1.2.3.4/0"),
      Case(text: "::ffff:1.2.3.4/24", address: "1.2.3.4", length: 24, isMapped: true, normalized: "1.2.3.4/0"),
      Case(text: "::ffff:1.2.3.4/0", address: "1.2.3.4", length: 0, isMapped: true, normalized: "1.2.3.4/0"),
    ])
  func mapped(example: Case) throws {
    let written = try #require(WrittenCIDR(example.text))
    #expect(written.address.description == example.address)
    #expect(written.prefixLength == example.length)
    #expect(written.isMapped)
    #expect(written.normalized.description == example.normalized)
    #expect(CIDR(example.text)?.description == example.normalized)
  }

  @Test(
    "leading zeros of a length mean nothing",
    arguments: ["10.0.0.0/024", "10.0.0.0/0024", "10.0.0.0/" + String(repeating: "0", count: 1000) + "24"])
  func leadingZeros(text: String) {
    #expect(CIDR(text)?.description == "10.0.0.0/24")
  }

  @Test(
    "a length is decimal digits and nothing else",
    arguments: [
      "10.0.0.0/", "10.0.0.0/+24", "10.0.0.0/-1", "10.0.0.0/ 24", "10.0.0.0/24 ", "10.0.0.0/24\n", "10.0.0.0/2 4",
      "10.0.0.0/0x18", "10.0.0.0/a", "10.0.0.0/24/", "10.0.0.0//24", "10.0.0.0/24/24", "10.0.0.0/255.255.255.0",
      "10.0.0.0/1.5", "10.0.0.0/٢٤", "10.0.0.0/2\u{301}4", "10.0.0.0/\0", "::/", "::/-0", "::/+0",
    ])
  func notDigits(text: String) {
    #expect(WrittenCIDR(text) == nil)
    #expect(CIDR(text) == nil)
  }

  @Test(
    "a length above the width of the written family is refused",
    arguments: [
      "10.0.0.0/33", "10.0.0.0/64", "10.0.0.0/128", "10.0.0.0/100000", "10.0.0.0/4294967296",
      "10.0.0.0/18446744073709551640", "::/129", "::/1000", "::ffff:1.2.3.4/129",
      "::/340282366920938463463374607431768211480",
    ])
  func tooLong(text: String) {
    #expect(WrittenCIDR(text) == nil)
    #expect(CIDR(text) == nil)
  }

  @Test(
    "a malformed or missing address is refused",
    arguments: [
      "", "/", "/24", "24", "10.0.0.0", "::", "10.0.0/24", "10/8", "010.0.0.0/8", " 10.0.0.0/8", "10.0.0.0 /8",
      "fe80::1%eth0/64", "1.2.3.4.5/8", ":/64", "hello/24", "/10.0.0.0/8", "[::]/0",
    ])
  func badAddress(text: String) {
    #expect(WrittenCIDR(text) == nil)
    #expect(CIDR(text) == nil)
  }

  @Test("a mapped text and its IPv4 text are different as written, and equal as networks")
  func identity() {
    #expect(WrittenCIDR("::ffff:10.0.0.0/104") != WrittenCIDR("10.0.0.0/8"))
    #expect(CIDR("::ffff:10.0.0.0/104") == CIDR("10.0.0.0/8"))
  }

  @Test("a part of a text is read as the part alone")
  func substring() {
    let parts = "10.0.0.0/8,2001:db8::/32".split(separator: ",")
    #expect(parts.map { CIDR(String($0))?.description } == ["10.0.0.0/8", "2001:db8::/32"])
  }
}
