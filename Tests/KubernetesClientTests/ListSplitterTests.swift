import Testing

@testable import KubernetesClient

@Suite("Lists taken apart while they come")
struct ListSplitterTests {
  /// What is found in a list that comes in pieces of so many bytes.
  private func split(_ text: String, size: Int) -> (objects: [String], metadata: String, isComplete: Bool) {
    var splitter = ListSplitter()
    var objects: [String] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      splitter.take(Array(bytes[start..<min(start + size, bytes.count)])) {
        objects.append(String(decoding: $0, as: UTF8.self))
      }
    }
    return (objects, String(decoding: splitter.metadata, as: UTF8.self), splitter.isComplete)
  }

  private static let objects = [
    #"{"metadata":{"name":"a"},"spec":{"items":[{"b":[1,2]},{}]}}"#,
    #"{"text":"}]\"{[\\","items":[],"metadata":"items"}"#, "{}",
    "{\n \"name\": \"ä\u{1F600}\",\n \"metadata\": {\"items\": [{}]}\n}",
  ]

  @Test("every object is told as it stands, however the list is cut up", arguments: Array(1...40) + [10_000])
  func objects(size: Int) {
    let items = Self.objects.joined(separator: " ,\n")
    let metadata = #"{"continue":"{[","resourceVersion":"7"}"#
    for text in [
      #"{"kind":"List","metadata":\#(metadata),"items":[\#(items)]}"#,
      #"{"apiVersion":"items","items": [ \#(items) ] ,"kind":"metadata","metadata" : \#(metadata)}"# + "\n",
    ] {
      let found = split(text, size: size)
      #expect(found.objects == Self.objects)
      #expect(found.metadata == metadata)
      #expect(found.isComplete)
    }
  }

  @Test(
    "a list without objects has none",
    arguments: [
      #"{"items":[],"metadata":{}}"#, #"{"items":null,"metadata":{}}"#, #"{"metadata":{"items":[{}]}}"#, "{}",
      #"{"other":{"items":[{"a":1}]},"others":[{"items":[{}]}]}"#, #"{"items":[null,1,"items"]}"#,
    ])
  func empty(text: String) {
    let found = split(text, size: 3)
    #expect(found.objects == [])
    #expect(found.isComplete)
  }

  @Test("what is cut off is not complete, and tells what was whole before")
  func cutOff() {
    let text = #"{"metadata":{},"items":[{"a":"}"},{"b":[]}]}"#
    for length in 0..<text.utf8.count {
      let found = split(String(decoding: Array(text.utf8)[..<length], as: UTF8.self), size: 5)
      #expect(!found.isComplete)
      #expect(found.objects == Array([#"{"a":"}"}"#, #"{"b":[]}"#].prefix(found.objects.count)))
    }
  }
}
