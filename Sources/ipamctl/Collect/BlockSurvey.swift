import CalicoModel
import Datastore
import IPAddressing

/// What the blocks of a datastore say together: the truth that handles and affinities are measured by.
struct BlockSurvey {
  let time: Timestamp
  /// Seconds before a released address is free again.
  let cooldown: Int
  /// Whom each block is affine to; nil for nobody.
  private(set) var owners: [CIDR: String?] = [:]
  /// How many addresses of each block carry a handle.
  private(set) var counts: [String: [CIDR: Int]] = [:]
  private(set) var unreadable: Set<CIDR> = []
  /// Empty blocks that belong to nobody.
  private(set) var empty: [CIDR] = []

  init(time: Timestamp, cooldown: Int) {
    self.time = time
    self.cooldown = cooldown
  }

  /// Takes a block in.
  mutating func take(_ cidr: CIDR, _ stored: Stored) {
    guard var block = try? stored.block(cidr) else {
      unreadable.insert(cidr)
      return
    }
    owners[cidr] = .some(block.affinity)
    for ordinal in 0..<block.size {
      guard let attribute = block.attribute(at: ordinal), !attribute.isWindowsReservation,
        let handle = attribute.sanitizedHandleID, !handle.isEmpty
      else { continue }
      counts[handle, default: [:]][cidr, default: 0] += 1
    }
    _ = block.collect(time: time, cooldown: cooldown)
    if block.affinity == nil, block.isEmpty { empty.append(cidr) }
  }
}

extension Session {
  /// Looks at all blocks.
  func surveyBlocks() async throws -> BlockSurvey {
    let cooldown = try await configuration().configuration.cooldownSeconds
    var survey = BlockSurvey(time: now(), cooldown: cooldown)
    try await forEachBlock { survey.take($0, $1) }
    return survey
  }
}
