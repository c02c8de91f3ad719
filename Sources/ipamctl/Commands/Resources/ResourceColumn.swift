import CalicoModel
import IPAddressing
import JSON
import Terminal

/// A column of the table of a kind (calicoctl specification, section 4.4).
struct ResourceColumn {
  let heading: String
  let cell: (ShownResource) -> String

  init(_ heading: String, _ cell: @escaping (ShownResource) -> String) {
    self.heading = heading
    self.cell = { PrintableText.of(cell($0)) }
  }

  /// The columns of `-o ps`.
  static func narrow(_ kind: ShownKind) -> [ResourceColumn] {
    let headings =
      switch kind {
      case .written(.ipPool): ["NAME", "CIDR", "SELECTOR"]
      case .written(.ipamConfiguration): ["NAME", "STRICTAFFINITY", "AUTOALLOCATEBLOCKS"]
      case .written: ["NAME"]
      case .blockAffinity: ["NAME", "NODE", "CIDR", "STATE"]
      case .block: ["NAME", "CIDR", "AFFINITY"]
      case .handle: ["NAME", "IPS"]
      }
    return headings.compactMap { heading in wide(kind).first { $0.heading == heading } }
  }

  /// The columns of `-o wide`.
  static func wide(_ kind: ShownKind) -> [ResourceColumn] {
    [ResourceColumn("NAME") { $0.name }] + (ofWritten(kind) ?? ofAllocations(kind))
  }

  private static func ofWritten(_ kind: ShownKind) -> [ResourceColumn]? {
    switch kind {
    case .written(.ipPool):
      [
        text("CIDR", "cidr"), flag("NAT", "natOutgoing"), text("IPIPMODE", "ipipMode", default: "Never"),
        text("VXLANMODE", "vxlanMode", default: "Never"), flag("DISABLED", "disabled"),
        flag("DISABLEBGPEXPORT", "disableBGPExport"), text("SELECTOR", "nodeSelector"),
        text("ASSIGNMENTMODE", "assignmentMode", default: "Automatic"),
      ]
    case .written(.ipReservation):
      [
        ResourceColumn("CIDRS") { reservation in
          list((reservation.specification["reservedCIDRs"]?.arrayValue ?? []).compactMap(\.stringValue))
        }
      ]
    case .written(.ipamConfiguration):
      [
        flag("STRICTAFFINITY", "strictAffinity"), flag("AUTOALLOCATEBLOCKS", "autoAllocateBlocks"),
        number("MAXBLOCKSPERHOST", "maxBlocksPerHost"),
      ]
    case .written(.node):
      [ResourceColumn("ASN") { systemNumber($0) }, bgp("IPV4", "ipv4Address"), bgp("IPV6", "ipv6Address")]
    case .written: []
    case .block, .blockAffinity, .handle: nil
    }
  }

  /// The columns of kinds that calicoctl does not show.
  private static func ofAllocations(_ kind: ShownKind) -> [ResourceColumn] {
    switch kind {
    case .written: []
    case .blockAffinity:
      [
        text("NODE", "node"), text("CIDR", "cidr"), text("STATE", "state"), text("TYPE", "type"),
        flag("DELETED", "deleted"),
      ]
    case .block:
      [
        text("CIDR", "cidr"), text("AFFINITY", "affinity", default: "<none>"),
        ResourceColumn("TOTAL") { String(count($0, "allocations")) },
        ResourceColumn("INUSE") { String(max(0, count($0, "allocations") - count($0, "unallocated"))) },
        ResourceColumn("FREE") { String(count($0, "unallocated")) }, text("CLAIMED", "affinityClaimTime"),
        number("SEQUENCENUMBER", "sequenceNumber"),
      ]
    case .handle:
      [
        ResourceColumn("IPS") { String(blocks($0).reduce(0) { $0.addingReportingOverflow($1.count).partialValue }) },
        ResourceColumn("BLOCKS") { list(blocks($0).map(\.cidr)) },
      ]
    }
  }

  // MARK: Cells

  private static func text(_ heading: String, _ member: String, default fallback: String = "") -> ResourceColumn {
    ResourceColumn(heading) { resource in
      let text = resource.specification[member]?.stringValue ?? ""
      return text.isEmpty ? fallback : text
    }
  }

  private static func flag(_ heading: String, _ member: String) -> ResourceColumn {
    ResourceColumn(heading) { $0.specification[member]?.boolValue == true ? "true" : "false" }
  }

  private static func number(_ heading: String, _ member: String) -> ResourceColumn {
    ResourceColumn(heading) { $0.specification[member]?.numberValue?.literal ?? "0" }
  }

  private static func bgp(_ heading: String, _ member: String) -> ResourceColumn {
    ResourceColumn(heading) { $0.specification["bgp"]?.objectValue?[member]?.stringValue ?? "" }
  }

  /// The node's own number, or the cluster's in parentheses: 64512, because BGP is configured nowhere in this datastore.
  private static func systemNumber(_ node: ShownResource) -> String {
    guard let bgp = node.specification["bgp"]?.objectValue else { return "" }
    switch bgp["asNumber"] {
    case .number(let number): return number.literal
    case .string(let text) where !text.isEmpty: return text
    default: return "(64512)"
    }
  }

  private static func count(_ block: ShownResource, _ member: String) -> Int {
    block.specification[member]?.arrayValue?.count ?? 0
  }

  private static func blocks(_ handle: ShownResource) -> [(cidr: String, count: Int)] {
    (handle.specification["block"]?.objectValue?.members ?? []).map { member in
      (member.key, member.value.numberValue?.int64.flatMap { Int(exactly: $0) } ?? 0)
    }
  }

  /// Texts with commas between them, cut to 80 bytes.
  private static func list(_ texts: [String]) -> String {
    let text = texts.joined(separator: ",")
    return text.utf8.count <= 80 ? text : String(decoding: text.utf8.prefix(77), as: UTF8.self) + "..."
  }
}
