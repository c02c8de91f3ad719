import CalicoModel

/// How `get` prints what it found (calicoctl specification, section 4.4).
enum ResourceFormat: Hashable {
  case table(wide: Bool)
  case columns([String])
  case yaml
  case json
  /// `ippool/pods`, as `delete` and `get` take it. calicoctl has no such format.
  case name

  /// Why an output format cannot be used.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Reads the value of `-o`.
  init(_ text: String) throws(Failure) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let value = parts.count == 2 ? parts[1] : ""
    switch parts[0] {
    case "ps" where parts.count == 1: self = .table(wide: false)
    case "wide" where parts.count == 1: self = .table(wide: true)
    case "yaml" where parts.count == 1, "yml" where parts.count == 1: self = .yaml
    case "json" where parts.count == 1: self = .json
    case "name" where parts.count == 1: self = .name
    case "custom-columns":
      if value.isEmpty { throw Failure(description: "need to specify at least one column") }
      self = .columns(value.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    case "go-template", "go-template-file":
      if value.isEmpty {
        let missing = parts[0] == "go-template" ? "a template" : "a template file"
        throw Failure(description: "need to specify \(missing)")
      }
      throw Failure(description: "templates of Go cannot be used here; take -o json, and select with jq")
    default:
      let meant = NearestName.of(text, among: ["ps", "wide", "yaml", "yml", "json", "name", "custom-columns="])
      throw Failure(
        description: "unrecognized output format '\(text)'" + (meant.map { "\ndid you mean '\($0)'?" } ?? ""))
    }
  }

  /// The columns of a kind's table; nil for what is no table.
  func columns(of kind: ShownKind) throws(Failure) -> [ResourceColumn]? {
    switch self {
    case .table(let isWide): return isWide ? ResourceColumn.wide(kind) : ResourceColumn.narrow(kind)
    case .columns(let names):
      let known = ResourceColumn.wide(kind)
      var chosen: [ResourceColumn] = []
      for name in names {
        guard let column = known.first(where: { $0.heading == name }) else {
          let valid = known.map(\.heading).joined(separator: ", ")
          throw Failure(description: "unknown heading \(name), valid values are: \(valid)")
        }
        chosen.append(column)
      }
      return chosen
    case .yaml, .json, .name: return nil
    }
  }
}

/// Columns that are padded, the last one as well: as wide as the widest cell and three blanks, and at least five.
enum PaddedTable {
  static func text(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(5) }
        widths[column] = max(widths[column], cell.unicodeScalars.count + 3)
      }
    }
    var text = ""
    for row in rows {
      for (column, cell) in row.enumerated() {
        text += cell + String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
      }
      text += "\n"
    }
    return text
  }
}
