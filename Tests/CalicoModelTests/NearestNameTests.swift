import CalicoModel
import Testing

@Suite("The nearest name")
struct NearestNameTests {
  @Test(
    "is the one that was misspelled",
    arguments: [
      ("ippol", "ippool"), ("ipppool", "ippool"), ("ippoool", "ippool"), ("ipopol", "ippool"), ("IPPOOLS", "ippool"),
      ("nodde", "node"), ("ndoe", "node"), ("ipreservatin", "ipreservation"), ("nodes", "node"),
    ])
  func misspelled(_ text: String, _ name: String) {
    #expect(NearestName.of(text, among: ["ippool", "ipreservation", "node"]) == name)
  }

  @Test("is none when nothing is like it", arguments: ["", "blah", "networkpolicy", "n", "ip", "xxxx", "pool"])
  func unlike(_ text: String) {
    #expect(NearestName.of(text, among: ["ippool", "ipreservation", "node"]) == nil)
  }

  @Test("is the one with the fewest mistakes, and of several the first")
  func choice() {
    #expect(NearestName.of("pool-3", among: ["pool-12", "pool-1", "pool-2"]) == "pool-1")
    #expect(NearestName.of("pool-12x", among: ["pool-1", "pool-12"]) == "pool-12")
    #expect(NearestName.of("anything", among: []) == nil)
    #expect(NearestName.of("a", among: ["", "b"]) == nil)
  }
}
