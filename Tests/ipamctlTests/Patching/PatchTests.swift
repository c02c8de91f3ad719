import JSON
import Testing

@testable import ipamctl

private func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

/// The examples of RFC 7396, appendix A.
@Suite("Merge patches")
struct MergePatchTests {
  @Test(
    "merge objects, remove what is null, and replace everything else",
    arguments: [
      (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
      (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
      (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
      (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
      (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
      (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"), (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
      (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
      ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
  func examples(_ document: String, _ patch: String, _ result: String) throws {
    #expect(MergePatch.apply(try json(patch), to: try json(document)) == (try json(result)))
  }
}

/// The examples of RFC 6902, appendix A.
@Suite("JSON patches")
struct JSONPatchTests {
  @Test(
    "do one operation after another",
    arguments: [
      (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
      (
        #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#
      ),
      (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
      (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
      (
        #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"foo":"bar","baz":"boo"}"#
      ),
      (
        #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
        #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
        #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
      ),
      (
        #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
        #"{"foo":["all","cows","eat","grass"]}"#
      ),
      (
        #"{"baz":"qux","foo":["a",2,"c"]}"#,
        #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
        #"{"baz":"qux","foo":["a",2,"c"]}"#
      ),
      (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"g":{}}}]"#, #"{"foo":"bar","child":{"g":{}}}"#),
      (#"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["a"]}]"#, #"{"foo":["bar",["a"]]}"#),
      (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
      (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"}]"#, #"{"a":{"b":1},"c":{"b":1}}"#),
      (#"{"a":1}"#, #"[{"op":"replace","path":"","value":{"b":2}}]"#, #"{"b":2}"#), (#"{"a":1}"#, "[]", #"{"a":1}"#),
    ])
  func examples(_ document: String, _ patch: String, _ result: String) throws {
    #expect(try JSONPatch(json(patch)).apply(to: json(document)) == (try json(result)))
  }

  @Test(
    "are refused with the number of the operation",
    arguments: [
      (#"[{"op":"test","path":"/a","value":2}]"#, "operation 0: path '/a' is 1, not 2"),
      (#"[{"op":"add","path":"/x/y","value":1}]"#, "operation 0: path '/x/y': there is nothing"),
      (#"[{"op":"remove","path":"/x"}]"#, "operation 0: path '/x': there is nothing"),
      (#"[{"op":"replace","path":"/x","value":1}]"#, "operation 0: path '/x': there is nothing"),
      (
        #"[{"op":"add","path":"/l/3","value":1}]"#,
        "operation 0: path '/l/3': '3' is no index of the list there, which has 3"
      ),
      (
        #"[{"op":"remove","path":"/l/01"}]"#,
        "operation 0: path '/l/01': '01' is no index of the list there, which has 2"
      ),
      (#"[{"op":"move","from":"/o","path":"/o/p"}]"#, "operation 0: '/o' cannot be moved into itself"),
      (#"[{"op":"add","path":"a","value":1}]"#, "operation 0: path 'a' does not begin with '/'"),
      (
        #"[{"op":"test","path":"/a","value":1},{"op":"put","path":"/a"}]"#,
        "operation 1: 'op' has to be add, remove, replace, move, copy or test"
      ),
      (#"[{"op":"add","path":"/a"}]"#, "operation 0: 'value' is missing"),
      (#"[{"op":"copy","path":"/a"}]"#, "operation 0: 'from' is missing"),
      (#"[{"op":"remove","path":""}]"#, "operation 0: the whole document cannot be added or removed"),
      ("[1]", "operation 0: it is no object"),
      (#"{"a":1}"#, "a JSON patch is a list such as [{\"op\":\"replace\",\"path\":\"/spec/disabled\",\"value\":true}]"),
    ])
  func refusals(_ patch: String, _ reason: String) throws {
    let document = try json(#"{"a":1,"l":[1,2],"o":{}}"#)
    let failure = #expect(throws: PatchFailure.self) { try JSONPatch(json(patch)).apply(to: document) }
    #expect(failure?.description == reason)
  }
}

@Suite("Strategic merge patches")
struct StrategicMergePatchTests {
  @Test(
    "merge objects, and lists of things with names",
    arguments: [
      (#"{"spec":{"a":1}}"#, #"{"spec":{"b":true}}"#, #"{"spec":{"a":1,"b":true}}"#),
      (#"{"spec":{"a":1,"b":2}}"#, #"{"spec":{"a":null}}"#, #"{"spec":{"b":2}}"#),
      (#"{"spec":{"uses":["x"]}}"#, #"{"spec":{"uses":["y"]}}"#, #"{"spec":{"uses":["y"]}}"#),
      (
        #"{"metadata":{"finalizers":["x"]}}"#, #"{"metadata":{"finalizers":["y","x"]}}"#,
        #"{"metadata":{"finalizers":["x","y"]}}"#
      ),
      (
        #"{"metadata":{"finalizers":["x","y"]}}"#, #"{"metadata":{"$deleteFromPrimitiveList/finalizers":["x"]}}"#,
        #"{"metadata":{"finalizers":["y"]}}"#
      ),
      (
        #"{"metadata":{"ownerReferences":[{"uid":"1","name":"a"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}}"#
      ),
      (
        #"{"metadata":{"ownerReferences":[{"uid":"1"},{"uid":"2"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"uid":"1","$patch":"delete"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"uid":"2"}]}}"#
      ),
      (
        #"{"metadata":{"ownerReferences":[{"uid":"1"},{"uid":"2"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"$patch":"replace"},{"uid":"3"}]}}"#,
        #"{"metadata":{"ownerReferences":[{"uid":"3"}]}}"#
      ),
      (#"{"spec":{"a":1,"b":2}}"#, #"{"spec":{"$patch":"replace","c":3}}"#, #"{"spec":{"c":3}}"#),
      (#"{"spec":{"a":1},"x":1}"#, #"{"spec":{"$patch":"delete"}}"#, #"{"x":1}"#),
      (#"{"spec":{"a":1,"b":2}}"#, #"{"spec":{"$retainKeys":["b"],"b":3}}"#, #"{"spec":{"b":3}}"#),
      (
        #"{"metadata":{"finalizers":["x"]}}"#, #"{"metadata":{"$setElementOrder/finalizers":["x"]}}"#,
        #"{"metadata":{"finalizers":["x"]}}"#
      ),
    ])
  func merging(_ document: String, _ patch: String, _ result: String) throws {
    #expect(try StrategicMergePatch.apply(json(patch), to: json(document)) == (try json(result)))
  }

  @Test(
    "are refused when they say what cannot be done",
    arguments: [
      ("[]", "a patch is an object, such as {\"spec\":{…}}"),
      (#"{"$patch":"delete"}"#, "the whole resource cannot be deleted by a patch"),
      (#"{"spec":{"$patch":"x"}}"#, "$patch has to be merge, replace or delete, not \"x\""),
      (#"{"spec":{"$frob":1}}"#, "unknown directive $frob"),
      (#"{"spec":{"$deleteFromPrimitiveList/uses":["x"]}}"#, "$deleteFromPrimitiveList/uses: not a list of texts"),
      (#"{"spec":{"$retainKeys":"x"}}"#, "$retainKeys has to be a list of texts"),
      (
        #"{"metadata":{"ownerReferences":[{"name":"a"}]}}"#,
        "an element of metadata.ownerReferences has no 'uid', by which they are told apart"
      ),
    ])
  func refusals(_ patch: String, _ reason: String) throws {
    let document = try json(#"{"metadata":{"name":"p"},"spec":{}}"#)
    let failure = #expect(throws: PatchFailure.self) { try StrategicMergePatch.apply(json(patch), to: document) }
    #expect(failure?.description == reason)
  }
}
