import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import Terminal

/// What can be repaired in the datastore itself, whoever lives: handles that count wrongly, affinities to blocks that are
/// not there, blocks that belong to nobody and are empty.
struct RepairLook {
  /// A fault that may also be somebody's work in progress, and so has to be seen twice.
  struct Fault: Hashable {
    enum Subject: Hashable {
      case handle(String, blocks: [CIDR])
      case affinity(BlockOwner, CIDR)
    }

    let subject: Subject
    /// The revision it was seen at; nil for an entry that is missing.
    let revision: Revision?
    /// What is wrong, in words.
    let text: String

    /// The entry, as a name.
    var path: String {
      switch subject {
      case .handle(let identifier, _): KeyPath.path(of: .handle(identifier))
      case .affinity(let owner, let cidr): KeyPath.path(of: .affinity(owner, cidr))
      }
    }
  }

  var faults: [Fault] = []
  /// Empty blocks that belong to nobody.
  var emptyBlocks: [CIDR] = []

  /// Compares handles and affinities with the blocks, which were read after them.
  private init(_ handles: [ListResult.Item], _ affinities: [ListResult.Item], _ blocks: BlockSurvey) {
    emptyBlocks = blocks.empty
    findHandles(handles, blocks.counts, blocks.unreadable)
    findAffinities(affinities, blocks.owners, blocks.unreadable)
  }

  /// Looks at a datastore.
  static func look(at session: Session) async throws -> RepairLook {
    let handles = try await session.items(.handles)
    let hosts = try await session.items(.allAffinities(.host))
    let others = try await session.items(.allAffinities(.virtual))
    let blocks = try await session.surveyBlocks()
    return RepairLook(handles, hosts + others, blocks)
  }

  private mutating func findHandles(
    _ handles: [ListResult.Item], _ truths: [String: [CIDR: Int]], _ unreadable: Set<CIDR>
  ) {
    var missing = truths
    for item in handles {
      guard case .handle(let identifier) = item.key, let stored = item.stored else { continue }
      missing[identifier] = nil
      // A handle that cannot be read, or names a block that cannot, is nothing to repair blindly.
      guard let handle = try? stored.handle(), unreadable.isDisjoint(with: handle.counts.keys) else { continue }
      let truth = truths[identifier] ?? [:]
      let counted = handle.counts.values.reduce(0, +)
      let held = truth.values.reduce(0, +)
      guard handle.counts != truth || handle.isEmpty else { continue }
      let blocks = Set(truth.keys).union(handle.counts.keys).sorted { $0.address < $1.address }
      let text =
        held == 0 ? "it holds no address" : "it counts \(counted.of("address", plural: "addresses")) and holds \(held)"
      faults.append(Fault(subject: .handle(identifier, blocks: blocks), revision: stored.revision, text: text))
    }
    for identifier in missing.keys.sorted() {
      let blocks = (missing[identifier] ?? [:]).keys.sorted { $0.address < $1.address }
      let held = (missing[identifier] ?? [:]).values.reduce(0, +)
      let text = "it is missing, and holds \(held.of("address", plural: "addresses"))"
      faults.append(Fault(subject: .handle(identifier, blocks: blocks), revision: nil, text: text))
    }
  }

  private mutating func findAffinities(
    _ affinities: [ListResult.Item], _ owners: [CIDR: String?], _ unreadable: Set<CIDR>
  ) {
    for item in affinities {
      guard case .affinity(let owner, let cidr) = item.key, let stored = item.stored, !unreadable.contains(cidr) else {
        continue
      }
      let text: String
      switch owners[cidr] {
      case nil: text = "there is no such block"
      case .some(nil): text = "the block belongs to nobody"
      case .some(.some(let holder)):
        if holder == owner.description { continue }
        text = "the block belongs to \(PrintableText.of(holder))"
      }
      faults.append(Fault(subject: .affinity(owner, cidr), revision: stored.revision, text: text))
    }
  }
}

extension RepairLook.Fault {
  /// What is, would be or was done: `delete handle pods.c1: it holds no address`.
  func line(_ isChanged: Bool) -> String {
    switch subject {
    case .handle(let identifier, _):
      "\(isChanged ? "corrected" : "would correct") handle \(PrintableText.of(identifier)): \(text)"
    case .affinity(let owner, let cidr):
      "\(isChanged ? "deleted" : "would delete") the affinity of \(PrintableText.of(owner.description)) to \(cidr): \(text)"
    }
  }

  /// `handle pods.c1`
  var name: String {
    switch subject {
    case .handle(let identifier, _): PrintableText.of("handle \(identifier)")
    case .affinity(let owner, let cidr): PrintableText.of("the affinity of \(owner) to \(cidr)")
    }
  }
}
