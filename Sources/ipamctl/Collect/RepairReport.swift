import CalicoEngine
import CalicoModel
import Datastore
import FileSystem
import IPAddressing
import IntegrityCheck
import JSON
import Terminal

/// What is to be repaired in the datastore itself, and what came of it.
struct RepairReport {
  fileprivate enum State {
    case planned
    case done(RepairOutcome)
  }

  private var blocks: [(cidr: CIDR, state: State)] = []
  private var faults: [(fault: Fault, age: Int64, state: State)] = []
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
    var options = IntegrityCheck.Options()
    // What may be somebody's work in progress has to be seen in another run anyway.
    options.pause = .zero
    var check = IntegrityCheck(session.store, options, now: session.now) { _ in }
    try await check.loadEntries()
    let found = try await check.faults()
    for case .emptyBlock(let cidr) in found.map(\.subject) { blocks.append((cidr, .planned)) }
    // Claims that their owners have yet to finish are for 'ipam check --fix'.
    let open = found.filter { fault in
      if case .openAffinity = fault.subject { false } else { fault.mayBeInProgress }
    }
    guard repairsHandles else {
      unasked = open.count
      return
    }
    var memory = FaultMemory(of: session.store.name, roots, now: now)
    let ages = memory.note(open.map { ($0.path, $0.revision?.token ?? "") })
    faults = open.map { ($0, ages[$0.path] ?? 0, .planned) }
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
      faults[index].state = .done(try await faults[index].fault.repair(session))
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
        lines.append(
          "\(PrintableText.of(fault.name)): \(fault.text); look again in \(rest.description) seconds or later")
      case .planned: lines.append(Self.line(fault, isDone: false))
      case .done(.repaired): lines.append(Self.line(fault, isDone: true))
      case .done: lines.append("left alone \(PrintableText.of(fault.name)): it changed meanwhile")
      }
    }
    if unasked > 0 {
      let text = unasked.of("handle or affinity does", plural: "handles or affinities do")
      lines.append("\(text) not fit the blocks; --repair-handles looks into it.")
    }
    return lines
  }

  /// `would correct handle pods.c1: it holds no address`
  private static func line(_ fault: Fault, isDone: Bool) -> String {
    let verb =
      switch fault.subject {
      case .staleAffinity: isDone ? "deleted" : "would delete"
      case .openAffinity: isDone ? "confirmed" : "would confirm"
      default: isDone ? "corrected" : "would correct"
      }
    return PrintableText.of("\(verb) \(fault.name): \(fault.text)")
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
