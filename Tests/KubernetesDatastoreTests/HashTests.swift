import Testing

@testable import KubernetesDatastore

@Suite("Hashes of names")
struct HashTests {
  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  // The examples of NIST.
  @Test(
    "SHA3-256 is that of FIPS 202",
    arguments: [
      ("", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
      ("abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376"
      ),
    ])
  func sha3(message: String, hash: String) {
    #expect(Self.hexadecimal(SHA3.hash256(message.utf8)) == hash)
  }

  @Test("SHA3-256 takes in messages that end at and beside the ends of its chunks", arguments: 134...138)
  func chunks(count: Int) {
    // Each differs from every other, and none is that of the message one byte shorter.
    let hashes = (count - 1...count).map { SHA3.hash256(repeatElement(UInt8(0xA3), count: $0)) }
    #expect(hashes[0] != hashes[1])
    #expect(hashes.allSatisfy { $0.count == 32 })
  }

  // RFC 4648, section 10, without the padding.
  @Test(
    "base32 is that of RFC 4648",
    arguments: [
      ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
      ("foobar", "MZXW6YTBOI"),
    ])
  func base32(bytes: String, text: String) {
    #expect(Base32.encode(Array(bytes.utf8)) == text)
  }

  @Test(
    "a node's affinities are labelled with the hash that Calico gives it",
    arguments: [
      ("node-a", "PY3TQE2E3XMTETLM2MJO3UITKPFB27YUJ4T4E5XGPEJON3SM4QAA"),
      ("host-a", "BFCLEOKXKXJN3LUK3AL2TWDBTX3OWLM5ZSRM6I3Y5HSZA6Z2BHOA"),
      ("load-balancer", "TAU2RK2F2FG7MIS72DPZYC6FJ3U3BIWIDZAMUTQY7ZXMSKQZ5GSQ"),
    ])
  func owners(name: String, hash: String) {
    #expect(AffinityLabels.hash(name) == hash)
  }
}
