import CalicoModel
import Testing

@Suite("Names of limited length")
struct LimitedNameTests {
  @Test(
    "Known answers, the first of which fit",
    arguments: [
      ("felix", "1234", 10, "felix1234"), ("felix", "123456", 11, "felix123456"), ("felix", "_2345", 10, "felix_kMQI"),
      ("felix", "12345678910", 13, "felix_Y2QCZIS"), ("felix", "", 10, "felix_"),
    ])
  func knownAnswers(prefix: String, suffix: String, limit: Int, expected: String) {
    #expect(LimitedName.make(prefix: prefix, suffix: suffix, limit: limit) == expected)
  }

  @Test("A short prefix and a long suffix make a name with the whole hash, which is shorter than the limit")
  func wholeHash() {
    let name = LimitedName.make(prefix: "pods.vmi.", suffix: String(repeating: "x", count: 200), limit: 128)
    #expect(name.hasPrefix("pods.vmi._"))
    #expect(name.utf8.count == "pods.vmi._".utf8.count + 43)
  }

  @Test(
    "The hash is that of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func hash(message: String, expected: String) {
    #expect(Self.hexadecimal(SHA256.hash(message.utf8)) == expected)
  }

  @Test("A message of a million bytes is taken in as well")
  func longMessage() {
    let hash = SHA256.hash(repeatElement(UInt8(ascii: "a"), count: 1_000_000))
    #expect(Self.hexadecimal(hash) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
