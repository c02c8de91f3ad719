import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON

/// How much of each pool is in use, and of each block.
struct PoolView {
  private let report: UtilizationReport
  private let showsBlocks: Bool
  /// Entries that are left out because they cannot be understood.
  private let warnings: [String]

  init(_ session: Session, showsBlocks: Bool) async throws {
    var warnings: [String] = []
    var pools: [IPPool] = []
    for item in try await session.items(.resources(.ipPool)) {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      do { pools.append(try IPPool(decoding: stored.bytes, name: name)) } catch {
        warnings.append("warning: IPPool \(name) cannot be read and is left out: \(error)")
      }
    }
    var reserved = ReservedAddresses()
    for item in try await session.items(.resources(.ipReservation)) {
      guard let stored = item.stored else { continue }
      do { try reserved.add(decoding: stored.bytes) } catch {
        warnings.append("warning: \(item.key) cannot be read and is left out: \(error)")
      }
    }
    var blocks: [IPAMBlock] = []
    try await session.forEachBlock { cidr, stored in
      do throws(ModelError) { blocks.append(try stored.block(cidr)) } catch {
        warnings.append("warning: block \(cidr) is left out: \(error); 'ipamctl ipam check' tells more")
      }
    }
    self.warnings = warnings
    self.showsBlocks = showsBlocks
    report = UtilizationReport(pools: pools, reserved: reserved, blocks: blocks)
  }

  func transcript(_ format: OutputFormat) -> Transcript {
    let output = format == .json ? document.text + "\n" : table
    return Transcript(output: output, errors: warnings.map { $0 + "\n" }.joined())
  }

  private var table: String {
    let headings = ["GROUPING", "CIDR", "IPS TOTAL", "IPS IN USE", "IPS RESERVED", "IPS FREE"]
    var table = BoxTable(headings, rightAligned: [2, 3, 4, 5])
    for pool in report.pools {
      // What stands for blocks without a pool has no row, and neither has a pool of all addresses.
      if !pool.cidr.hasSuffix("/0") { table.add(Self.row("IP Pool", pool.cidr, pool.numbers)) }
      guard showsBlocks else { continue }
      for block in pool.blocks { table.add(Self.row("Block", block.cidr.description, block.numbers)) }
    }
    return table.text
  }

  private static func row(_ grouping: String, _ cidr: String, _ numbers: Utilization) -> [String] {
    [grouping, cidr, AddressCount.text(numbers.capacity)]
      + [numbers.inUse, numbers.reserved, numbers.available].map { AddressCount.text($0, of: numbers.capacity) }
  }

  private var document: JSON {
    let orphans = report.pools.first { $0.isOrphans }?.blocks ?? []
    var members: JSONObject = [
      "pools": .array(
        report.pools.filter { !$0.isOrphans }.map { pool in
          var members: JSONObject = ["name": .string(pool.name), "cidr": .string(pool.cidr)]
          members.members += pool.numbers.members
          if showsBlocks { members["blocks"] = .array(pool.blocks.map(\.document)) }
          return .object(members)
        })
    ]
    if showsBlocks { members["blocksWithoutPool"] = .array(orphans.map(\.document)) }
    return .object(members)
  }
}

extension Utilization {
  fileprivate var members: [JSONObject.Member] {
    [("total", capacity), ("inUse", inUse), ("reserved", reserved), ("free", available)].map { key, value in
      JSONObject.Member(key: key, value: .number(JSONNumber(value)))
    }
  }
}

extension BlockUtilization {
  fileprivate var document: JSON {
    .object(JSONObject([JSONObject.Member(key: "cidr", value: .string(cidr.description))] + numbers.members))
  }
}
