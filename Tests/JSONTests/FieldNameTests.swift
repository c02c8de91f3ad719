import JSON
import Testing

@Suite("Field names")
struct FieldNameTests {
  @Test(
    "keys match regardless of case",
    arguments: [
      ("subnet", "subnet"), ("SUBNET", "subnet"), ("rangestart", "rangeStart"), ("RangeStart", "rangeStart"),
      ("ſubnet", "subnet"), ("routeſ", "routes"), ("ſubnet", "Subnet"), ("KEY", "key"), ("\u{212A}ey", "key"),
      ("net_ns-1", "NET_NS-1"), ("", ""), ("x@[`{", "x@[`{"),
    ])
  func matching(key: String, name: String) {
    #expect(key.matchesFieldName(name))
  }

  @Test(
    "nothing else matches",
    arguments: [
      ("subne", "subnet"), ("subnets", "subnet"), ("", "a"), ("a", ""), ("sub net", "subnet"), ("é", "É"), ("ß", "ss"),
      ("\u{131}ps", "ips"), ("ıps", "ips"), ("\u{FF53}ubnet", "subnet"), ("@", "`"), ("[", "{"), ("^", "~"),
      ("\u{C5}ubnet", "subnet"), ("\u{140}ubnet", "subnet"), ("\u{212B}ey", "key"), ("\u{2126}", "k"),
      ("s\u{307}", "s"),
    ])
  func mismatching(key: String, name: String) {
    #expect(!key.matchesFieldName(name))
  }

  @Test("every other character below U+3000 stands for itself alone")
  func otherCharacters() {
    let folded: Set<UInt32> = [0x17F, 0x212A]
    for number in UInt32(0x80)..<0x3000 where !folded.contains(number) {
      guard let scalar = Unicode.Scalar(number) else { continue }
      let key = String(scalar)
      #expect(key.matchesFieldName(key))
      #expect(!"ks".contains { key.matchesFieldName(String($0)) }, "\(key)")
    }
  }

  @Test("each ASCII letter matches itself in both cases and no other character")
  func letters() {
    let characters = (0..<0x80).map { String(Unicode.Scalar(UInt8($0))) }
    for key in characters {
      let matching = characters.filter { key.matchesFieldName($0) }
      #expect(Set(matching) == [key.lowercased(), key.uppercased()])
    }
  }

  @Test("the last of several spellings is found by going through the members")
  func spellings() throws {
    let object = try #require(try JSON(parsing: #"{"Name":"a","type":"t","NAME":"b","names":"c"}"#).objectValue)
    let names = object.members.filter { $0.key.matchesFieldName("name") }
    #expect(names.map(\.value) == ["a", "b"])
    #expect(object["name"] == nil)
  }
}
