import JSON

/// Writes an object member by member.
struct JSONObjectWriter {
  private var writer: JSONWriter
  private var isEmpty = true

  init(reservingCapacity capacity: Int = 256) {
    writer = JSONWriter(reservingCapacity: capacity)
    writer.literal("{")
  }

  /// Writes a member whose value is JSON already; nothing when there is none.
  mutating func member(_ name: String, _ text: ArraySlice<UInt8>?) {
    guard let text else { return }
    begin(name)
    writer.raw(text)
  }

  mutating func member(_ name: String, string: String?) {
    guard let string else { return }
    begin(name)
    writer.string(string)
  }

  mutating func member(_ name: String, bool: Bool) {
    begin(name)
    writer.bool(bool)
  }

  /// Writes a member that is an object of strings; nothing when there are none.
  mutating func member(_ name: String, labels: [Label]) {
    if labels.isEmpty { return }
    var object = JSONObjectWriter()
    for label in labels { object.member(label.key, string: label.value) }
    member(name, object.finished()[...])
  }

  private mutating func begin(_ name: String) {
    if !isEmpty { writer.literal(",") }
    isEmpty = false
    writer.string(name)
    writer.literal(":")
  }

  /// The object's text.
  consuming func finished() -> [UInt8] {
    writer.literal("}")
    return writer.bytes
  }
}
