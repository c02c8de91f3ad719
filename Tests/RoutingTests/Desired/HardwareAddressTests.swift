import IPAddressing
import Netlink
import Testing

@testable import Routing

@Suite("Hardware addresses of tunnel devices")
struct HardwareAddressTests {
  @Test(
    "SHA-1 gives the digests of RFC 3174, section 7.3",
    arguments: [
      ("", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
      ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
      ("a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
      ("01234567", 80, "dea356a2cddd90c7a7ecedc5ebb563934f460452"),
    ])
  func digest(text: String, times: Int, digest: String) {
    let message = String(repeating: text, count: times)
    let digits = SHA1.digest(message.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    #expect(digits.joined() == digest)
  }

  @Test("a message of any length around a block is padded right")
  func padding() {
    // A digest of all digests, so that one wrong length shows; the value is that of another implementation.
    let all = (0...130).flatMap { SHA1.digest([UInt8](repeating: 0x61, count: $0)) }
    let digits = SHA1.digest(all).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    #expect(digits.joined() == "60afa284c7b19b978fd27334fd33aa6e654cf3ff")
  }

  @Test(
    "it follows from the node's name as section 4.4 of the routes specification has it",
    arguments: [
      ("n1", AddressFamily.v4, "66:40:b3:ea:b6:3f"), ("worker-1", .v4, "66:93:7f:54:d5:53"),
      ("worker-1", .v6, "66:d8:48:96:ab:01"), ("node-a", .v4, "66:07:02:c1:cc:60"),
      ("node-a", .v6, "66:d4:d5:51:3d:42"), ("ip-10-0-0-1.ec2.internal", .v4, "66:81:72:62:16:f1"),
    ])
  func derived(node: String, family: AddressFamily, expected: String) {
    #expect(HardwareAddress.tunnel(of: node, family)?.description == expected)
  }
}
