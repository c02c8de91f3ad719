/// Builds the tree of a document from the tokens of `JSONScanner`.
///
/// Containers that are open are on a stack of our own, so that depth is bounded by the limit and not by the thread.
/// Their children so far lie one behind the other in two common arrays, where a container's children are those from its
/// `start` on. Closing a container copies them out in one allocation of the exact size.
struct JSONParser {
  private struct Container {
    var isObject: Bool
    var start: Int
  }

  private var scanner: JSONScanner
  private let maximumDepth: Int
  private var open: [Container] = []
  private var elements: [JSON] = []
  /// The last member of an open object has its key; its value stays null until it is complete.
  private var members: [JSONObject.Member] = []

  init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
    scanner = JSONScanner(bytes)
    self.maximumDepth = maximumDepth
    open.reserveCapacity(16)
    elements.reserveCapacity(16)
    members.reserveCapacity(16)
  }

  /// Parses one value and demands that nothing follows it.
  mutating func parseDocument() throws(JSONError) -> JSON {
    while true {
      guard var value = try parseScalarOrOpenContainer() else { continue }
      // Each completed value may be the last child of the container around it, and so complete that one too.
      while let container = open.last {
        guard let completed = try add(value, to: container) else { break }
        value = completed
      }
      guard open.isEmpty else { continue }
      try scanner.expectEnd()
      return value
    }
  }

  /// Parses a scalar or an empty container; returns nil after opening a container whose first value is now due.
  private mutating func parseScalarOrOpenContainer() throws(JSONError) -> JSON? {
    switch try scanner.nextToken() {
    case UInt8(ascii: "\""):
      return .string(try scanner.scanString())
    case UInt8(ascii: "{"):
      return try openObject()
    case UInt8(ascii: "["):
      return try openArray()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return .number(try scanner.scanNumber())
    case UInt8(ascii: "t"):
      try scanner.scanLiteral("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try scanner.scanLiteral("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try scanner.scanLiteral("null")
      return .null
    default:
      throw scanner.error(.expectedValue)
    }
  }

  private mutating func openArray() throws(JSONError) -> JSON? {
    try push(Container(isObject: false, start: elements.count))
    guard try scanner.nextToken() == UInt8(ascii: "]") else { return nil }
    scanner.advance()
    open.removeLast()
    return .array([])
  }

  private mutating func openObject() throws(JSONError) -> JSON? {
    try push(Container(isObject: true, start: members.count))
    guard try scanner.nextToken() == UInt8(ascii: "}") else {
      try parseKey()
      return nil
    }
    scanner.advance()
    open.removeLast()
    return .object(JSONObject())
  }

  private mutating func push(_ container: Container) throws(JSONError) {
    guard open.count < maximumDepth else { throw scanner.error(.tooDeep) }
    open.append(container)
    scanner.advance()
  }

  /// Parses a key and the colon behind it.
  private mutating func parseKey() throws(JSONError) {
    guard try scanner.nextToken() == UInt8(ascii: "\"") else { throw scanner.error(.expectedKey) }
    members.append(JSONObject.Member(key: try scanner.scanString(), value: .null))
    guard try scanner.nextToken() == UInt8(ascii: ":") else { throw scanner.error(.afterKey) }
    scanner.advance()
  }

  /// Adds a child to the innermost container; returns that container if it ends there.
  private mutating func add(_ value: JSON, to container: Container) throws(JSONError) -> JSON? {
    if container.isObject {
      members[members.count - 1].value = value
    } else {
      elements.append(value)
    }
    switch (try scanner.nextToken(), container.isObject) {
    case (UInt8(ascii: ","), true):
      scanner.advance()
      try parseKey()
      return nil
    case (UInt8(ascii: ","), false):
      scanner.advance()
      return nil
    case (UInt8(ascii: "}"), true):
      let children = Array(members[container.start...])
      members.removeLast(children.count)
      close()
      return .object(JSONObject(children))
    case (UInt8(ascii: "]"), false):
      let children = Array(elements[container.start...])
      elements.removeLast(children.count)
      close()
      return .array(children)
    default:
      throw scanner.error(container.isObject ? .afterMember : .afterElement)
    }
  }

  private mutating func close() {
    scanner.advance()
    open.removeLast()
  }
}
