import JSON
import Yams

/// Documents in YAML, read as the JSON that they stand for.
///
/// Scalars are resolved here, as Go's library does it for calicoctl: `yes` and `on` are true, `010` is eight, and a date
/// is text.
enum YAMLDocument {
  /// Why a document cannot be read.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The most values of a document, references to anchors counted each time: a small text may stand for a very large
  /// one.
  private static let maximumValues = 1_000_000

  /// The JSON of a document; nil when the document is empty.
  static func json(_ text: String) throws(Failure) -> JSON? {
    let root: Node?
    do {
      root = try compose(yaml: text, .basic)
    } catch {
      throw Failure(description: "error converting YAML to JSON: yaml: \(reason(error))")
    }
    guard let root else { return nil }
    var converter = YAMLConverter(budget: maximumValues)
    let value = try converter.json(root)
    if value == .null { return Optional.none }
    return value
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? YamlError else { return "\(error)" }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return "line \(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      let key = duplicates.first ?? ""
      return "unmarshal errors:\n  line \(context.mark.line): key \"\(key)\" already set in map"
    default: return error.description
    }
  }
}

/// Makes JSON of nodes.
private struct YAMLConverter {
  var budget: Int

  mutating func json(_ node: Node) throws(YAMLDocument.Failure) -> JSON {
    budget -= 1
    guard budget >= 0 else {
      throw YAMLDocument.Failure(
        description: "error converting YAML to JSON: yaml: document contains excessive aliasing")
    }
    switch node {
    case .scalar(let scalar): return try YAMLScalar.json(scalar.string, isPlain: scalar.style == .plain, node.tagName)
    case .sequence(let sequence):
      var elements: [JSON] = []
      for element in sequence { elements.append(try json(element)) }
      return .array(elements)
    case .mapping(let mapping):
      var object = JSONObject()
      for (key, value) in mapping {
        object.members.append(JSONObject.Member(key: try Self.key(key), value: try json(value)))
      }
      return .object(object)
    case .alias:
      throw YAMLDocument.Failure(description: "error converting YAML to JSON: yaml: unknown anchor referenced")
    }
  }

  private static func key(_ node: Node) throws(YAMLDocument.Failure) -> String {
    guard case .scalar(let scalar) = node else {
      throw YAMLDocument.Failure(description: "error converting YAML to JSON: a key is no text")
    }
    return scalar.string
  }
}

extension Node {
  /// The tag as it is written; nil when there is none.
  fileprivate var tagName: String? {
    guard case .scalar(let scalar) = self else { return nil }
    let name = scalar.tag.description
    return name.isEmpty || name == "!" ? nil : name
  }
}
