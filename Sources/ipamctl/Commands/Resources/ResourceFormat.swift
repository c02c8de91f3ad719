import CalicoModel
import JSON
import Terminal
import YAML

/// How `get` prints what it found (calicoctl specification, section 4.4).
enum ResourceFormat: Hashable {
  case table(wide: Bool)
  case columns([String])
  case yaml
  case json

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
    case "custom-columns":
      if value.isEmpty { throw Failure(description: "need to specify at least one column") }
      self = .columns(value.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    case "go-template", "go-template-file":
      if value.isEmpty {
        let missing = parts[0] == "go-template" ? "a template" : "a template file"
        throw Failure(description: "need to specify \(missing)")
      }
      throw Failure(description: "templates of Go cannot be used here; take -o json, and select with jq")
    default: throw Failure(description: "unrecognized output format '\(text)'")
    }
  }

  /// The results in this format.
  func text(_ results: [ResourceResult]) throws(Failure) -> String {
    switch self {
    case .table, .columns:
      var text = ""
      for result in results { text += try table(result) + "\n" }
      return text
    case .yaml: return YAMLText.text(Self.document(results))
    case .json: return Self.document(results).text
    }
  }

  private static func document(_ results: [ResourceResult]) -> JSON {
    if results.isEmpty { return .null }
    return results.count == 1 ? results[0].document : .array(results.map(\.document))
  }

  private func table(_ result: ResourceResult) throws(Failure) -> String {
    let columns: [ResourceColumn]
    switch self {
    case .columns(let names):
      let known = ResourceColumn.wide(result.kind)
      var chosen: [ResourceColumn] = []
      for name in names {
        guard let column = known.first(where: { $0.heading == name }) else {
          let valid = known.map(\.heading).joined(separator: ", ")
          throw Failure(description: "unknown heading \(name), valid values are: \(valid)")
        }
        chosen.append(column)
      }
      columns = chosen
    case .table(let isWide): columns = isWide ? ResourceColumn.wide(result.kind) : ResourceColumn.narrow(result.kind)
    case .yaml, .json: return ""
    }
    return PaddedTable.text(
      [columns.map(\.heading)] + result.resources.map { resource in columns.map { $0.cell(resource) } })
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

/// A column of the table of a kind.
struct ResourceColumn {
  let heading: String
  let cell: (Resource) -> String

  private init(_ heading: String, _ cell: @escaping (Resource) -> String) {
    self.heading = heading
    self.cell = { PrintableText.of(cell($0)) }
  }

  /// The columns of `-o ps`.
  static func narrow(_ kind: ResourceKind) -> [ResourceColumn] {
    let headings =
      switch kind {
      case .ipPool: ["NAME", "CIDR", "SELECTOR"]
      case .ipamConfiguration: ["NAME", "STRICTAFFINITY", "AUTOALLOCATEBLOCKS"]
      default: ["NAME"]
      }
    return headings.compactMap { heading in wide(kind).first { $0.heading == heading } }
  }

  /// The columns of `-o wide`.
  static func wide(_ kind: ResourceKind) -> [ResourceColumn] {
    let name = ResourceColumn("NAME") { $0.name }
    switch kind {
    case .ipPool:
      return [
        name, text("CIDR", "cidr"), flag("NAT", "natOutgoing"), text("IPIPMODE", "ipipMode", default: "Never"),
        text("VXLANMODE", "vxlanMode", default: "Never"), flag("DISABLED", "disabled"),
        flag("DISABLEBGPEXPORT", "disableBGPExport"), text("SELECTOR", "nodeSelector"),
        text("ASSIGNMENTMODE", "assignmentMode", default: "Automatic"),
      ]
    case .ipReservation: return [name, ResourceColumn("CIDRS") { reservedText($0) }]
    case .ipamConfiguration:
      return [
        name, flag("STRICTAFFINITY", "strictAffinity"), flag("AUTOALLOCATEBLOCKS", "autoAllocateBlocks"),
        ResourceColumn("MAXBLOCKSPERHOST") { $0.specification["maxBlocksPerHost"]?.numberValue?.literal ?? "0" },
      ]
    case .node:
      return [
        name, ResourceColumn("ASN") { systemNumber($0) }, bgp("IPV4", "ipv4Address"), bgp("IPV6", "ipv6Address"),
      ]
    case .clusterInformation, .tier, .blockAffinity: return [name]
    }
  }

  private static func text(_ heading: String, _ member: String, default fallback: String = "") -> ResourceColumn {
    ResourceColumn(heading) { resource in
      let text = resource.specification[member]?.stringValue ?? ""
      return text.isEmpty ? fallback : text
    }
  }

  private static func flag(_ heading: String, _ member: String) -> ResourceColumn {
    ResourceColumn(heading) { $0.specification[member]?.boolValue == true ? "true" : "false" }
  }

  private static func bgp(_ heading: String, _ member: String) -> ResourceColumn {
    ResourceColumn(heading) { $0.specification["bgp"]?.objectValue?[member]?.stringValue ?? "" }
  }

  /// The node's own number, or the cluster's in parentheses: 64512, because BGP is configured nowhere in this datastore.
  private static func systemNumber(_ node: Resource) -> String {
    guard let bgp = node.specification["bgp"]?.objectValue else { return "" }
    switch bgp["asNumber"] {
    case .number(let number): return number.literal
    case .string(let text) where !text.isEmpty: return text
    default: return "(64512)"
    }
  }

  /// The reserved networks, cut to 80 bytes.
  private static func reservedText(_ reservation: Resource) -> String {
    let cidrs = (reservation.specification["reservedCIDRs"]?.arrayValue ?? []).compactMap(\.stringValue)
    let text = cidrs.joined(separator: ",")
    return text.utf8.count <= 80 ? text : String(decoding: text.utf8.prefix(77), as: UTF8.self) + "..."
  }
}
