import CalicoModel
import JSON
import Terminal
import YAML

/// Takes up what `get` finds, and prints it. Of a table only the cells are kept: ten thousand blocks are 160 MB, their
/// rows one.
struct ResourceListing {
  private struct Answer {
    var kind: ShownKind
    var isList: Bool
    var columns: [ResourceColumn]?
    var rows: [[String]] = []
    var documents: [JSONObject] = []
    /// The newest version in a list.
    var newest: Int64?
  }

  private let format: ResourceFormat
  private var answers: [Answer] = []

  init(_ format: ResourceFormat) {
    self.format = format
  }

  /// Begins an answer: a list, or one resource.
  mutating func begin(_ kind: ShownKind, isList: Bool) throws(ResourceFormat.Failure) {
    answers.append(Answer(kind: kind, isList: isList, columns: try format.columns(of: kind)))
  }

  /// Adds a resource to the answer that was begun last.
  mutating func add(_ resource: ShownResource) {
    guard var answer = answers.popLast() else { return }
    if let columns = answer.columns {
      answer.rows.append(columns.map { $0.cell(resource) })
    } else if format == .name {
      answer.rows.append([resource.kind.name.lowercased() + "/" + PrintableText.of(resource.name)])
    } else {
      answer.documents.append(resource.document)
      answer.newest = [answer.newest, resource.resourceVersion.flatMap { Int64($0) }].compactMap { $0 }.max()
    }
    answers.append(answer)
  }

  /// Everything in the format.
  var text: String {
    switch format {
    case .table, .columns:
      answers.map { PaddedTable.text([($0.columns ?? []).map(\.heading)] + $0.rows) + "\n" }.joined()
    case .name: answers.flatMap(\.rows).map { $0.joined() + "\n" }.joined()
    case .yaml: YAMLText.text(document)
    case .json: document.text
    }
  }

  /// One answer alone, several in an array, and null for none.
  private var document: JSON {
    let documents = answers.compactMap { Self.document($0) }
    if documents.isEmpty { return .null }
    return documents.count == 1 ? documents[0] : .array(documents)
  }

  /// A list's version is that of the newest resource in it.
  private static func document(_ answer: Answer) -> JSON? {
    guard answer.isList else { return answer.documents.first.map { .object($0) } }
    var metadata = JSONObject()
    if let newest = answer.newest { metadata["resourceVersion"] = .string(String(newest)) }
    return [
      "kind": .string(answer.kind.name + "List"), "apiVersion": .string(ResourceKind.apiVersion),
      "metadata": .object(metadata), "items": .array(answer.documents.map { .object($0) }),
    ]
  }
}
