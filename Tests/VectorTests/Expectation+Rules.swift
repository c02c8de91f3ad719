import JSON
import Testing

extension Expectation {
  /// Counts for each handle what the blocks gave it in the step, instead of what was asked for.
  mutating func countObtained(_ step: RecordedStep) throws {
    let prefix = "/calico/ipam/v2/handle/"
    for (path, text) in state where path.hasPrefix(prefix) && step.before[path] != text {
      let handleID = String(path.dropFirst(prefix.count))
      try edit(path) { handle in
        var counts = try handle.object("block")
        for index in counts.members.indices {
          let block = counts.members[index].key
          let obtained =
            try Self.count(of: handleID, in: block, step.after) - Self.count(of: handleID, in: block, step.before)
          let before =
            try step.before[path].map { try Self.parsed($0).object("block") }?[block]?.numberValue?.int64 ?? 0
          counts.members[index].value = .number(JSONNumber(before + obtained))
        }
        handle["block"] = .object(counts)
      }
    }
  }

  /// Lets a handle count what the blocks say it has.
  mutating func countHeld(_ path: String) throws {
    guard let text = state[path] else { return }
    let handleID = String(path.dropFirst("/calico/ipam/v2/handle/".count))
    let counts = try Self.parsed(text).object("block").members.compactMap { member -> JSONObject.Member? in
      let held = try Self.count(of: handleID, in: member.key, state)
      return held == 0 ? nil : .init(key: member.key, value: .number(JSONNumber(held)))
    }
    if counts.isEmpty { return state[path] = nil }
    try edit(path) { $0["block"] = .object(JSONObject(counts)) }
  }

  /// Deletes the sequence entries of the ordinals that the step freed; left-over entries of earlier steps stay.
  mutating func deleteEntriesOfFreed(_ step: RecordedStep) throws {
    for (path, text) in step.before where path.hasPrefix("/calico/ipam/v2/assignment/") && state[path] != nil {
      let before = try #require(try Self.parsed(text)["allocations"]?.arrayValue)
      try edit(path) { block in
        let after = try #require(block["allocations"]?.arrayValue)
        var entries = try block.object("sequenceNumberForAllocation")
        for ordinal in after.indices where before[ordinal] != nil && after[ordinal] == nil {
          entries[String(ordinal)] = nil
        }
        block["sequenceNumberForAllocation"] = .object(entries)
      }
    }
  }

  /// Changes cells of a table that was printed, and draws it anew.
  mutating func changeTable(_ change: (String) -> String) throws {
    let text = try #require(output.stringValue)
    let printed = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { Self.trimmed($0) }
    }
    let rows = printed.map { $0.map(change) }
    guard rows != printed, let headings = rows.first else { return }
    let widths = headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let rule = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
    // Columns of numbers are flush right below their headings.
    let lines = rows.enumerated().map { index, row in
      "|"
        + row.indices.map { column in
          let padding = String(repeating: " ", count: widths[column] - row[column].count)
          let isNumber = index > 0 && headings[column].hasPrefix("IPS ")
          return " " + (isNumber ? padding + row[column] : row[column] + padding) + " |"
        }.joined() + "\n"
    }
    output = .string(rule + lines[0] + rule + lines.dropFirst().joined() + rule)
  }

  private static func trimmed(_ cell: Substring) -> String {
    var cell = cell
    while cell.first == " " { cell.removeFirst() }
    while cell.last == " " { cell.removeLast() }
    return String(cell)
  }

  /// Changes an entry; the recordings' marks stay as they are.
  private mutating func edit(_ path: String, _ change: (inout JSONObject) throws -> Void) throws {
    var document = try Self.parsed(try #require(state[path]))
    try change(&document)
    state[path] = JSON.object(document).text.replacing("\\u003cTIME\\u003e", with: "<TIME>")
  }

  private static func parsed(_ text: String) throws -> JSONObject {
    try #require(try JSON(parsing: Array(text.utf8)).objectValue)
  }

  /// How many addresses of a block a handle has.
  private static func count(of handleID: String, in block: String, _ state: RecordedState) throws -> Int64 {
    let suffix = "/block/" + block.replacing("/", with: "-")
    guard let text = state.first(where: { $0.key.contains("/assignment/") && $0.key.hasSuffix(suffix) })?.value else {
      return 0
    }
    let document = try parsed(text)
    let attributes = document["attributes"]?.arrayValue ?? []
    let allocations = document["allocations"]?.arrayValue ?? []
    return Int64(
      allocations.count { allocation in
        guard let index = allocation.numberValue?.int64 else { return false }
        return attributes[Int(index)].objectValue?["handle_id"]?.stringValue == handleID
      })
  }
}

/// What is expected where it follows from nothing recorded.
enum Constants {
  static let defaultSwitches = #"{"auto_allocate_blocks":true,"kubeVirtVMAddressPersistence":"Enabled"}"#
  static let cooldownSwitches =
    #"{"auto_allocate_blocks":true,"kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":1200}"#

  /// The one handle that was asked for more addresses than one block had.
  static let miscountedPath = "/calico/ipam/v2/handle/multi"

  // MARK: - CNI 1.1.0

  static let versions: JSON = [
    "cniVersion": "1.1.0", "supportedVersions": ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"],
  ]
  static let newestResult: JSON = [
    "cniVersion": "1.1.0", "ips": [["address": "10.100.0.213/29"]], "routes": [["dst": "10.100.0.213/29"]],
  ]
  static let newestHandlePath = "/calico/ipam/v2/handle/k8s-pod-network.c6"
  static let newestHandle = #"{"block":{"10.100.0.208/29":1},"deleted":false}"#
  static let newestBlockPath = "/calico/ipam/v2/assignment/ipv4/block/10.100.0.208-29"
  static let newestBlock =
    #"{"cidr":"10.100.0.208/29","affinity":"host:node1","affinity_claim_time":"<TIME>","#
    + #""allocations":[0,1,2,3,4,5,null,null],"unallocated":[6,7],"attributes":["#
    + (1...6).map { #"{"handle_id":"k8s-pod-network.c\#($0)","secondary":{"node":"node1","timestamp":"<TIME>"}}"# }
    .joined(separator: ",")
    + #"],"sequenceNumber":1006,"#
    + #""sequenceNumberForAllocation":{"0":1000,"1":1001,"2":1002,"3":1003,"4":1004,"5":1005},"deleted":false}"#

  // MARK: - Addresses in pools that are not for the use

  static let refusals = [
    "10.113.0.9": "IP address 10.113.0.9 is in IP pool \"d-tunnel\", which is not allowed for use \"Workload\" "
      + "(allowedUses: [Tunnel])",
    "10.100.0.77": "IP address 10.100.0.77 is in IP pool \"pool1\", which is not allowed for use \"LoadBalancer\" "
      + "(allowedUses: [Workload Tunnel])",
  ]

  static func addressAskedFor(_ step: RecordedStep) -> String? {
    let arguments = step.inputs["env"]?.objectValue?["CNI_ARGS"]?.stringValue ?? ""
    return arguments.split(separator: ";").first { $0.hasPrefix("IP=") }.map { String($0.dropFirst(3)) }
  }

  // MARK: - Utilisation

  /// What newest master prints in scenario 15, whose blocks are the same there.
  static let reservedUtilization = utilization(
    "10.101.0.0/28", numbers(0, 16, 8, 9),
    [
      ("10.101.0.0/30", numbers(0, 4, 2, 2)), ("10.101.0.12/30", numbers(0, 4, 2, 2)),
      ("10.101.0.4/30", numbers(0, 4, 1, 4)), ("10.101.0.8/30", numbers(0, 4, 3, 1)),
    ])

  /// Scenario 18 without a cool-down time: one of four addresses is free.
  static let cooledUtilization = utilization(
    "10.101.0.0/30", numbers(1, 4, 3, 0), [("10.101.0.0/30", numbers(1, 4, 3, 0))])

  /// What newest master prints in scenario 18 while an address cools down, and what it prints without that.
  static let coolingTable: JSON = .string(cooldownTable(inUse: "4 (100%)", free: "  0 (0%)"))
  static let cooledTable: JSON = .string(cooldownTable(inUse: " 3 (75%)", free: " 1 (25%)"))

  private static func cooldownTable(inUse: String, free: String) -> String {
    """
    +----------+---------------+-----------+------------+--------------+----------+
    | GROUPING | CIDR          | IPS TOTAL | IPS IN USE | IPS RESERVED | IPS FREE |
    +----------+---------------+-----------+------------+--------------+----------+
    | IP Pool  | 10.101.0.0/30 |         4 |   \(inUse) |       0 (0%) | \(free) |
    | Block    | 10.101.0.0/30 |         4 |   \(inUse) |       0 (0%) | \(free) |
    +----------+---------------+-----------+------------+--------------+----------+

    """
  }

  private static func numbers(_ available: Int, _ capacity: Int, _ inUse: Int, _ reserved: Int) -> JSONObject {
    [
      "available": .number(JSONNumber(available)), "capacity": .number(JSONNumber(capacity)),
      "in_use": .number(JSONNumber(inUse)), "reserved": .number(JSONNumber(reserved)),
    ]
  }

  private static func utilization(
    _ cidr: String, _ total: JSONObject, _ blocks: [(String, JSONObject)]
  ) -> JSON {
    func row(_ numbers: JSONObject, _ members: JSONObject) -> JSON {
      JSON.object(JSONObject((numbers.members + members.members).sorted { $0.key < $1.key }))
    }
    let rows = blocks.map { row($1, ["cidr": .string($0)]) }
    return [
      "pools": [
        row(total, ["blocks": .array(rows), "cidr": .string(cidr), "name": "pool1"]),
        row(numbers(0, 0, 0, 0), ["blocks": [], "cidr": "0.0.0.0/0", "name": "orphaned allocation blocks"]),
      ]
    ]
  }
}
