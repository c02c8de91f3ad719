import CalicoEngine
import CalicoModel
import IPAddressing
import JSON
import Testing

/// Where the hosts of a scenario began to search a pool for a block. The choice is random by design, so a replay
/// supplies the recorded one.
struct RecordedStarts: Sendable {
  private var blocks: [String: [CIDR: CIDR]] = [:]

  /// The first block that each host took in each pool when it was left the choice.
  init(_ recording: Recording) throws {
    for step in recording.steps where Self.isChoice(step) {
      let pools = try step.before.compactMap { path, text -> CIDR? in
        guard case .resource(.ipPool, let name)? = KeyPath.key(of: path) else { return nil }
        return try IPPool(decoding: Array(text.utf8), name: name).cidr
      }
      for write in step.writes where write.kind == .create {
        guard case .affinity(let owner, let block)? = KeyPath.key(of: write.path) else { continue }
        let pool = try #require(pools.first { $0.contains(block) })
        if blocks[owner.name]?[pool] == nil { blocks[owner.name, default: [:]][pool] = block }
      }
    }
  }

  /// Whether the step searches, and does not name the address or the network.
  private static func isChoice(_ step: RecordedStep) -> Bool {
    switch step.operation {
    case "calico-ipam ADD":
      let arguments = step.inputs["env"]?.objectValue?["CNI_ARGS"]?.stringValue ?? ""
      return !arguments.split(separator: ";").contains { $0.hasPrefix("IP=") }
    case "libcalico-go auto-assign", "libcalico-go ensure-block": return true
    default: return false
    }
  }

  func start(_ host: String) -> BlockOrder.Start {
    BlockOrder.Start(host: host, given: blocks[host] ?? [:])
  }
}
