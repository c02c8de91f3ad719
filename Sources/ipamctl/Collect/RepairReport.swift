import CalicoEngine
import CalicoModel
import Datastore
import FileSystem
import IPAddressing
import JSON

/// What is to be repaired in the datastore itself, and what came of it.
struct RepairReport {
  fileprivate enum State {
    case planned
    case done(RepairOutcome)
  }

  private var blocks: [(cidr: CIDR, state: State)] = []
  private var faults: [(fault: RepairLook.Fault, age: Int64, state: State)] = []
  /// Faults that were not asked for.
  private var unasked = 0
  private(set) var warnings: [String] = []

  /// Looks what can be repaired.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - roots: where the notes of an earlier look are.
  ///   - repairsHandles: whether faults that have to be seen twice are asked for. Without, they are counted.
  ///   - now: seconds since boot.
  /// - Throws: `DatastoreError` when the datastore cannot be read.
  init(_ session: Session, _ roots: HostRoots, repairsHandles: Bool, now: Int64) async throws {
    let look = try await RepairLook.look(at: session)
    blocks = look.emptyBlocks.map { ($0, .planned) }
    guard repairsHandles else {
      unasked = look.faults.count
      return
    }
    var memory = FaultMemory(of: session.store.name, roots, now: now)
    let ages = memory.note(look.faults.map { ($0.path, $0.revision?.token ?? "") })
    faults = look.faults.map { ($0, ages[$0.path] ?? 0, .planned) }
    do throws(SystemError) { try memory.save() } catch {
      warnings.append("warning: the look cannot be noted for the next run (error \(error.number)); run it as root")
    }
  }

  private static func isConfirmed(_ age: Int64) -> Bool { age >= RepairHandle.patience }

  /// Makes the repairs that are certain.
  mutating func repair(_ session: Session) async throws {
    for index in blocks.indices {
      let operation = DeleteEmptyBlock(blocks[index].cidr, time: session.now())
      blocks[index].state = .done(try await session.run(operation))
    }
    for index in faults.indices where Self.isConfirmed(faults[index].age) {
      let fault = faults[index].fault
      switch (fault.subject, fault.revision) {
      case (.handle(let identifier, let blocks), let revision):
        let operation = RepairHandle(identifier, at: revision, blocks: blocks)
        faults[index].state = .done(try await session.run(operation))
      case (.affinity(let owner, let cidr), .some(let revision)):
        faults[index].state = .done(try await session.run(DeleteOrphanAffinity(owner, cidr, at: revision)))
      case (.affinity, nil): continue
      }
    }
  }

  var lines: [String] {
    var lines = blocks.map { cidr, state in
      switch state {
      case .planned: "would delete block \(cidr): it is empty and belongs to nobody"
      case .done(.repaired): "deleted block \(cidr): it was empty and belonged to nobody"
      case .done: "left alone block \(cidr): it changed meanwhile"
      }
    }
    for (fault, age, state) in faults {
      switch state {
      case .planned where !Self.isConfirmed(age):
        let rest = RepairHandle.patience - age
        lines.append("\(fault.name): \(fault.text); look again in \(rest.description) seconds or later")
      case .planned: lines.append(fault.line(false))
      case .done(.repaired): lines.append(fault.line(true))
      case .done: lines.append("left alone \(fault.name): it changed meanwhile")
      }
    }
    if unasked > 0 {
      let text = unasked.of("handle or affinity does", plural: "handles or affinities do")
      lines.append("\(text) not fit the blocks; --repair-handles looks into it.")
    }
    return lines
  }

  /// Whether there is anything that --apply would do.
  var hasPlans: Bool { !blocks.isEmpty || faults.contains { Self.isConfirmed($0.age) } }

  var documents: [JSON] {
    var documents: [JSON] = blocks.map { cidr, state in
      ["block": .string(cidr.description), "text": "empty, belongs to nobody", "repaired": .bool(state.isRepaired)]
    }
    for (fault, age, state) in faults {
      documents.append([
        "entry": .string(fault.path), "text": .string(fault.text), "seenForSeconds": .number(JSONNumber(age)),
        "confirmed": .bool(Self.isConfirmed(age)), "repaired": .bool(state.isRepaired),
      ])
    }
    return documents
  }
}

extension RepairReport.State {
  fileprivate var isRepaired: Bool {
    guard case .done(.repaired) = self else { return false }
    return true
  }
}
