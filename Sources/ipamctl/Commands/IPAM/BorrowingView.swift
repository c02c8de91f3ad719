import CalicoModel
import Datastore
import IPAddressing
import JSON
import Terminal

/// Which addresses nodes have from blocks of others.
struct BorrowingView {
  private struct Row {
    var address: IPAddress
    var node: String
    var block: CIDR
    var owner: String
    var type: String
    var holder: String
  }

  private var rows: [Row] = []
  /// How many addresses are not known to be anybody's.
  private var nodeless = 0
  private var warnings: [String] = []

  init(_ session: Session) async throws {
    try await session.forEachBlock { cidr, stored in
      do throws(ModelError) { add(try stored.block(cidr)) } catch {
        warnings.append("warning: block \(cidr) is left out: \(error); 'ipamctl ipam check' tells more")
      }
    }
  }

  private mutating func add(_ block: IPAMBlock) {
    let owner = Self.ownerName(block.affinity ?? "")
    for ordinal in 0..<block.size {
      guard let attribute = block.attribute(at: ordinal) else { continue }
      let attributes = attribute.owner
      guard let node = attributes["node"] else {
        nodeless += 1
        continue
      }
      guard node != owner else { continue }
      let (type, holder) = Self.holder(attributes)
      rows.append(
        Row(
          address: block.address(at: ordinal), node: node, block: block.cidr, owner: owner, type: type, holder: holder))
    }
  }

  /// `node-1` of `host:node-1`; of a text with another number of colons, what is before the first.
  private static func ownerName(_ affinity: String) -> String {
    let parts = affinity.split(separator: ":", omittingEmptySubsequences: false)
    return String(parts.count == 2 ? parts[1] : parts.first ?? "")
  }

  private static func holder(_ attributes: [String: String]) -> (type: String, holder: String) {
    let namespace = attributes["namespace"] ?? ""
    if let machine = attributes["vmi-name"] { return ("vmi", "\(namespace)/\(machine)") }
    if let pod = attributes["pod"] { return ("pod", "\(namespace)/\(pod)") }
    return (attributes["type"] ?? "", "")
  }

  func transcript(_ format: OutputFormat) -> Transcript {
    let output = format == .json ? document.text + "\n" : table
    return Transcript(output: output, errors: warnings.map { $0 + "\n" }.joined())
  }

  private var table: String {
    var table = BoxTable(["IP", "BORROWING-NODE", "BLOCK", "BLOCK OWNER", "TYPE", "ALLOCATED-TO"])
    for row in rows {
      let cells = [row.node, row.block.description, row.owner, row.type, row.holder]
      table.add([row.address.description] + cells.map { PrintableText.of($0) })
    }
    guard nodeless > 0 else { return table.text }
    return table.text + "\nNote: found \(nodeless) IP allocations without an explicit node association. "
      + "Unable to determine if they are borrowed.\n"
  }

  private var document: JSON {
    [
      "borrowed": .array(
        rows.map { row in
          [
            "address": .string(row.address.description), "node": .string(row.node),
            "block": .string(row.block.description), "blockOwner": .string(row.owner), "type": .string(row.type),
            "allocatedTo": .string(row.holder),
          ]
        }),
      "withoutNode": .number(JSONNumber(nodeless)),
    ]
  }
}
