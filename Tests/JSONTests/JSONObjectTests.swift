import JSON
import Testing

@Suite("Objects")
struct JSONObjectTests {
  private func object(_ text: String) throws -> JSONObject {
    try #require(try JSON(parsing: text).objectValue)
  }

  private func keys(_ object: JSONObject) -> [String] {
    object.members.map(\.key)
  }

  @Test("members keep their order")
  func order() throws {
    #expect(try keys(object(#"{"z":1,"a":2,"m":3,"Z":4}"#)) == ["z", "a", "m", "Z"])
  }

  @Test("duplicates are kept, and the last one is found")
  func duplicates() throws {
    let text = #"{"a":1,"b":2,"a":3}"#
    let value = try object(text)
    #expect(value.members == [.init(key: "a", value: 1), .init(key: "b", value: 2), .init(key: "a", value: 3)])
    #expect(value["a"] == 3)
    #expect(JSON.object(value).text() == text)
  }

  @Test("setting a key replaces it where it first stands and drops its duplicates")
  func replacing() throws {
    var value = try object(#"{"a":1,"b":2,"a":3,"c":4,"a":5}"#)
    value["a"] = "new"
    #expect(JSON.object(value).text() == #"{"a":"new","b":2,"c":4}"#)
    value["c"] = [1]
    #expect(JSON.object(value).text() == #"{"a":"new","b":2,"c":[1]}"#)
  }

  @Test("setting a new key appends it")
  func appending() throws {
    var value = try object(#"{"a":1}"#)
    value["A"] = true
    value["b"] = .null
    #expect(JSON.object(value).text() == #"{"a":1,"A":true,"b":null}"#)
  }

  @Test("setting nil removes every member of the key")
  func removing() throws {
    var value = try object(#"{"a":1,"b":2,"a":3}"#)
    value["a"] = nil
    #expect(JSON.object(value).text() == #"{"b":2}"#)
    value["missing"] = nil
    #expect(JSON.object(value).text() == #"{"b":2}"#)
  }

  @Test("patching leaves unknown members, their order and their numbers alone")
  func patching() throws {
    var config = try object(Sample.config)
    var ipam = try #require(config["ipam"]?.objectValue)
    ipam["dataDir"] = "/run/ipam"
    ipam["type"] = "calico-ipam"
    config["ipam"] = .object(ipam)
    config["prevResult"] = nil
    let again = try object(JSON.object(config).text(JSONFormat(indentation: 2)))
    #expect(keys(again) == ["cniVersion", "name", "type", "isGateway", "mtu", "ipam", "x-vendor"])
    #expect(again["ipam"]?.objectValue.map(keys) == ["type", "ranges", "routes", "dataDir"])
    #expect(again["ipam"]?.objectValue?["type"] == "calico-ipam")
    let vendor = #"{"seed":12345678901234567890,"ratio":-1.50e+10,"empty":{},"none":[]}"#
    #expect(again["x-vendor"]?.text() == vendor)
  }

  @Test("keys are compared byte for byte, not by canonical equivalence")
  func exactKeys() throws {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    try #require(composed == decomposed)
    var value = JSONObject([.init(key: composed, value: 1)])
    #expect(value[decomposed] == nil)
    value[decomposed] = 2
    #expect(value.members.count == 2)
    #expect(value[composed] == 1)
    #expect(JSON.string(composed) != JSON.string(decomposed))
    #expect(JSONObject.Member(key: composed, value: 1) != JSONObject.Member(key: decomposed, value: 1))
  }

  @Test("equality minds keys, values, order and number of members")
  func equality() throws {
    let value = try object(#"{"a":1,"b":[{"c":2}]}"#)
    #expect(try value == object(#"{ "a" : 1, "\u0062" : [ {"c":2} ] }"#))
    #expect(try value != object(#"{"b":[{"c":2}],"a":1}"#))
    #expect(try value != object(#"{"a":1,"b":[{"c":3}]}"#))
    #expect(try value != object(#"{"a":1,"b":[{"d":2}]}"#))
    #expect(try value != object(#"{"a":1}"#))
    #expect(JSON.array([]) != JSON.object([:]))
    #expect(JSON.null != false)
  }

  @Test("equal values hash equally, similar ones are told apart")
  func hashing() throws {
    let texts = [
      "null", "0", "\"\"", "\"0\"", "[]", "{}", "[[]]", "[[],[]]", "[[1],2]", "[[1,2]]", "{\"a\":1}", "{\"a\":[1]}",
    ]
    let values = try Set(texts.map { text throws in try JSON(parsing: text) })
    #expect(values.count == texts.count)
    for text in texts {
      #expect(try values.contains(JSON(parsing: " \(text) ")))
    }
    let members = Set([JSONObject.Member(key: "a", value: 1), .init(key: "a", value: 1), .init(key: "a", value: 2)])
    #expect(members.count == 2)
    #expect(Set([["a": 1], ["a": 1], [:]] as [JSONObject]).count == 2)
  }

  @Test("literals make objects in their order")
  func literals() {
    let value: JSONObject = ["b": 1, "a": ["x": nil], "b": false]
    #expect(JSON.object(value).text() == #"{"b":1,"a":{"x":null},"b":false}"#)
    #expect(JSONObject().members.isEmpty)
  }
}
