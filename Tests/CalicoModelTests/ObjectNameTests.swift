import CalicoModel
import IPAddressing
import Testing

@Suite("Names of objects")
struct ObjectNameTests {
  @Test(
    "a network's name has dashes for dots, colons and the slash, and tells the network",
    arguments: [
      ("10.65.0.0/26", "10-65-0-0-26"), ("10.0.0.64/26", "10-0-0-64-26"), ("fd00::/122", "fd00---122"),
      ("fd00:10:65::40/122", "fd00-10-65--40-122"), ("fe80:ba:ad:beef::/122", "fe80-ba-ad-beef---122"),
      ("fd80:24e2:f998:72d6::40/122", "fd80-24e2-f998-72d6--40-122"), ("::/0", "---0"),
      ("1:2:3:4:5:6:7:0/112", "1-2-3-4-5-6-7-0-112"), ("0.0.0.0/0", "0-0-0-0-0"),
    ])
  func networks(text: String, name: String) throws {
    let cidr = try #require(CIDR(text))
    #expect(ObjectName.of(cidr) == name)
    #expect(ObjectName.network(name) == cidr)
  }

  @Test(
    "a name that is not the one of a network tells none",
    arguments: [
      "", "-", "10-65-0-0", "10-65-0-0-33", "10-65-0-1-26", "010-65-0-0-26", "10-65-0-0-026", "block", "fd00--",
      "fd00-0-0-0-0-0-0-0-122", "1-2-3-4-5-6", "FD00---122", "10-65-0-0-26-x",
    ])
  func notNetworks(name: String) {
    #expect(ObjectName.network(name) == nil)
  }

  // The golden vectors of Calico IPAM specification, section 1.4.
  @Test(
    "the name of a long owner's affinity is shortened to 252 bytes and ends with a hash",
    arguments: [
      ("10.0.0.0/26", 228, "-10-0-0-0-26-fb0ffb1c45a"),
      ("fe80:ba:ad:beef::/122", 218, "-fe80-ba-ad-beef---122-b67be52a546"),
    ])
  func longOwners(text: String, kept: Int, ending: String) throws {
    let owner = String(repeating: "long--hostna", count: 21)
    let name = ObjectName.ofAffinity(owner, try #require(CIDR(text)))
    #expect(name == String(owner.prefix(kept)) + ending)
    #expect(name.utf8.count == 252)
  }

  @Test("a name of 252 bytes is not shortened, and one of 253 is")
  func threshold() throws {
    let cidr = try #require(CIDR("10.65.0.0/26"))
    let fits = String(repeating: "n", count: 239)
    #expect(ObjectName.ofAffinity(fits, cidr) == fits + "-10-65-0-0-26")
    let long = String(repeating: "n", count: 240)
    let name = ObjectName.ofAffinity(long, cidr)
    #expect(name.utf8.count == 252)
    #expect(name != long + "-10-65-0-0-26")
  }

  @Test(
    "the server takes DNS subdomains only",
    arguments: [
      ("k8s-pod-network.c1", true), ("a", true), ("0", true), ("a.b-c.d", true), ("", false), ("A", false),
      ("a_b", false), ("-a", false), ("a-", false), ("a..b", false), (".a", false), ("a.", false), ("a/b", false),
      ("ä", false), ("a.-b", false), (String(repeating: "a", count: 253), true),
      (String(repeating: "a", count: 254), false),
    ])
  func validity(name: String, isValid: Bool) {
    #expect(ObjectName.isValid(name) == isValid)
  }

  @Test("a handle's object is named in lower case, and every other in its own way")
  func keys() throws {
    let cidr = try #require(CIDR("10.65.0.0/26"))
    #expect(Key.handle("Net1.ABC").objectName == "net1.abc")
    #expect(Key.block(cidr).objectName == "10-65-0-0-26")
    #expect(Key.affinity(BlockOwner(.virtual, "lb"), cidr).objectName == "lb-10-65-0-0-26")
    #expect(Key.configuration.objectName == "default")
    #expect(Key.resource(.ipPool, "p").objectName == "p")
    #expect(Key.host("node1").objectName == nil)
  }
}
