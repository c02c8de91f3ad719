import CYAML
public import JSON

/// Documents in YAML, read by libyaml as the JSON that they stand for.
///
/// Scalars are resolved here, as Go's library does it for calicoctl: `yes` and `on` are true, `010` is eight, and a date
/// is text.
public enum YAMLDocument {
  /// Why a document cannot be read, in the words of calicoctl.
  public struct Failure: Error, CustomStringConvertible {
    /// What was found, and the line where that is known.
    public let reason: String
    /// The line, from 1; nil when none is known.
    public let line: Int?

    init(_ reason: String, line: Int? = nil) {
      self.reason = reason
      self.line = line
    }

    public var description: String { "error converting YAML to JSON: " + reason }
  }

  /// The JSON of a document; nil when the document is empty.
  ///
  /// - Parameter text: the text, of which the first document is read.
  /// - Returns: the value that it stands for.
  /// - Throws: ``Failure`` when it is no YAML, or stands for what JSON does not have.
  public static func json(_ text: String) throws(Failure) -> JSON? {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else { throw Failure("yaml: out of memory") }
    defer { yaml_parser_delete(&parser) }
    // The parser reads the text where it lies, so it is used only as long as it lies there.
    return try Array(text.utf8).withUnsafeBufferPointer { bytes throws(Failure) -> JSON? in
      yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
      var document = yaml_document_t()
      guard yaml_parser_load(&parser, &document) == 1 else { throw reason(parser) }
      defer { yaml_document_delete(&document) }
      guard let root = yaml_document_get_root_node(&document) else { return nil }
      var converter = YAMLConverter(document: document, text: Array(text.unicodeScalars))
      let value = try converter.json(root.pointee, depth: 0)
      if case .null = value { return Optional.none }
      return value
    }
  }

  private static func reason(_ parser: yaml_parser_t) -> Failure {
    let problem = parser.problem.map { String(cString: $0) } ?? "malformed document"
    let line = parser.problem_mark.line + 1
    return Failure("yaml: line \(line): \(problem)", line: line)
  }
}

/// Makes JSON of nodes.
private struct YAMLConverter {
  /// The most values of a document, references to anchors counted each time: a small text may stand for a very large
  /// one, or for one without an end.
  private var budget = 1_000_000
  /// The deepest nesting: far deeper than any resource, and far from what a stack can bear.
  private static let maximumDepth = 500

  private var document: yaml_document_t
  /// The text by characters, as libyaml counts them.
  private let text: [Unicode.Scalar]

  init(document: yaml_document_t, text: [Unicode.Scalar]) {
    self.document = document
    self.text = text
  }

  mutating func json(_ node: yaml_node_t, depth: Int) throws(YAMLDocument.Failure) -> JSON {
    budget -= 1
    guard budget >= 0 else { throw YAMLDocument.Failure("yaml: document contains excessive aliasing") }
    guard depth < Self.maximumDepth else { throw YAMLDocument.Failure("yaml: exceeded max depth") }
    switch node.type {
    case YAML_SCALAR_NODE:
      let isPlain = node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
      return try YAMLScalar.json(Self.text(node), isPlain: isPlain, tag(node))
    case YAML_SEQUENCE_NODE:
      var elements: [JSON] = []
      let items = node.data.sequence.items
      for index in 0..<(items.top - items.start) {
        elements.append(try json(at: items.start[index], depth: depth + 1))
      }
      return .array(elements)
    case YAML_MAPPING_NODE: return try object(node, depth: depth)
    default: return .null
    }
  }

  private mutating func json(at index: yaml_node_item_t, depth: Int) throws(YAMLDocument.Failure) -> JSON {
    guard let node = yaml_document_get_node(&document, index) else {
      throw YAMLDocument.Failure("yaml: unknown anchor referenced")
    }
    return try json(node.pointee, depth: depth)
  }

  private mutating func object(_ node: yaml_node_t, depth: Int) throws(YAMLDocument.Failure) -> JSON {
    var object = JSONObject()
    var keys: Set<String> = []
    let pairs = node.data.mapping.pairs
    for index in 0..<(pairs.top - pairs.start) {
      let pair = pairs.start[index]
      guard let keyNode = yaml_document_get_node(&document, pair.key)?.pointee, keyNode.type == YAML_SCALAR_NODE else {
        throw YAMLDocument.Failure("a key is no text")
      }
      let key = Self.text(keyNode)
      guard keys.insert(key).inserted else {
        let line = keyNode.start_mark.line + 1
        throw YAMLDocument.Failure(
          "yaml: unmarshal errors:\n  line \(line): key \"\(key)\" already set in map", line: line)
      }
      object.members.append(JSONObject.Member(key: key, value: try json(at: pair.value, depth: depth + 1)))
    }
    return .object(object)
  }

  private static func text(_ node: yaml_node_t) -> String {
    let scalar = node.data.scalar
    return String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
  }

  /// The tag as it is written; nil when there is none. libyaml gives every scalar one, so it counts only where the text
  /// has it.
  private func tag(_ node: yaml_node_t) -> String? {
    guard let tag = node.tag, node.start_mark.index < text.count, text[node.start_mark.index] == "!" else { return nil }
    let name = String(cString: UnsafeRawPointer(tag).assumingMemoryBound(to: CChar.self))
    return name == "!" ? nil : name
  }
}
