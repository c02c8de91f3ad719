import CalicoModel
import TestSupport

/// Decides who is next and what goes wrong: by chance, keeping a record, or as a record says.
struct Director {
  private(set) var script: Script
  private var random: SeededGenerator?
  private var place = 0
  private var waiting: [Int] = []
  private var byID: [Int: Process] = [:]
  private var faultsLeft = 0
  private var crashesLeft = 0
  private var current: Int?
  /// How often of 8 times the process that took the last step takes the next as well.
  private var stickiness = 0
  /// Writes that are cut off rather than others.
  private let targets: [WritePosition]
  /// The process that lost an answer last: it may lose the next as well.
  private var unlucky: Int?

  /// Processes from here on see whether anything is stuck; nothing goes wrong with them.
  static let firstOfEnding = 1000

  /// Decides by chance.
  ///
  /// - Parameters:
  ///   - seed: of the chance.
  ///   - operations: how many processes run.
  ///   - targets: writes that are cut off rather than others.
  init(seed: UInt64, operations: Int, cuttingOff targets: [WritePosition] = []) {
    var random = SeededGenerator(seed: seed)
    let world = World(&random)
    let processes = (0..<operations).map { Process(id: $0, in: world, &random) }
    let ending = Script.Ending(drains: Bool.random(using: &random), givesUp: Bool.random(using: &random))
    script = Script(seed: seed, world: world, processes: processes, ending: ending)
    self.targets = targets
    faultsLeft = [0, 1, 2, 3, 6][Int.random(in: 0..<5, using: &random)]
    if !targets.isEmpty { faultsLeft = 8 }
    crashesLeft = faultsLeft == 0 ? 0 : 1
    stickiness = Int.random(in: 0...7, using: &random)
    self.random = random
    index()
  }

  /// Decides as a record says.
  init(replaying script: Script) {
    self.script = script
    targets = []
    index()
  }

  private mutating func index() {
    waiting = script.processes.map(\.id).reversed()
    for process in script.processes { byID[process.id] = process }
  }

  func process(_ id: Int) -> Process? { byID[id] }

  // MARK: - Who is next

  /// Chooses who is next.
  ///
  /// - Parameters:
  ///   - active: the processes that have begun and not ended, in ascending order.
  ///   - hasBegun: whether a process has begun.
  /// - Returns: the process that takes the next step; nil when all have ended.
  mutating func next(_ active: [Int], hasBegun: (Int) -> Bool) -> Int? {
    guard random != nil else { return recorded(active, hasBegun) }
    let id = chosen(active)
    if let id { script.schedule.append(id) }
    return id
  }

  private mutating func recorded(_ active: [Int], _ hasBegun: (Int) -> Bool) -> Int? {
    while place < script.schedule.count {
      let id = script.schedule[place]
      place += 1
      guard byID[id] != nil else { continue }
      guard hasBegun(id) else {
        waiting.removeAll { $0 == id }
        return id
      }
      if active.contains(id) { return id }
    }
    return active.first ?? waiting.popLast()
  }

  private mutating func chosen(_ active: [Int]) -> Int? {
    guard var random else { return nil }
    defer { self.random = random }
    if let current, active.contains(current), Int.random(in: 0..<8, using: &random) < stickiness {
      return current
    }
    let canBegin = !waiting.isEmpty && active.count < 7
    guard canBegin || !active.isEmpty else { return nil }
    let choice = Int.random(in: 0..<active.count + (canBegin ? 1 : 0), using: &random)
    current = choice < active.count ? active[choice] : waiting.popLast()
    return current
  }

  // MARK: - What goes wrong

  /// Whether a process dies now, between two steps.
  mutating func crashes(_ id: Int, after steps: Int) -> Bool {
    guard var random else { return script.crashes[id] == steps }
    guard crashesLeft > 0, id < Self.firstOfEnding else { return false }
    defer { self.random = random }
    guard Int.random(in: 0..<200, using: &random) == 0 else { return false }
    crashesLeft -= 1
    script.crashes[id] = steps
    return true
  }

  /// What goes wrong with a commit.
  mutating func fault(
    at point: CommitPoint, _ positions: [WritePosition], _ commit: Commit, _ process: Process
  ) -> Fault? {
    guard var random else { return script.faults[point] }
    defer { self.random = random }
    guard faultsLeft > 0, !positions.isEmpty else { return nil }
    let wishes = targets.isEmpty ? [] : positions.indices.filter { targets.contains(positions[$0]) }
    let wish = wishes.randomElement(using: &random)
    let odds = wish != nil ? 10 : unlucky == process.id ? 6 : targets.isEmpty ? 1 : 0
    guard Int.random(in: 0..<12, using: &random) < odds else { return nil }
    let place = wish ?? Int.random(in: 0...positions.count, using: &random)
    let fault = fault(at: place, commit, process, &random)
    unlucky = process.id
    faultsLeft -= 1
    script.faults[point] = fault
    return fault
  }

  private func fault(at place: Int, _ commit: Commit, _ process: Process, _ random: inout SeededGenerator) -> Fault {
    guard place < commit.writes.count, !process.cannotLose(commit.writes[place]) else { return .crash(at: place) }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return .lost(at: place, isWritten: false)
    case 1, 2: return .lost(at: place, isWritten: true)
    case 3: return .delayed(at: place, steps: Int.random(in: 1...40, using: &random))
    default: return .crash(at: place)
    }
  }
}

extension Process {
  /// Whether the lost answer of a write would break what upstream breaks by itself: it takes the handle's count back
  /// although the address was assigned (Calico IPAM specification, section 6.2, W7).
  func cannotLose(_ write: PlannedWrite) -> Bool {
    guard action.isUpstream, action.assigns, case .block = write.key else { return false }
    return true
  }
}
