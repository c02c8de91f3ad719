import CalicoModel
import Datastore

/// A plan that is being committed to a store without transactions, one write at a time, as ``Plan`` says.
struct StagedCommit {
  private struct Piece {
    var change: Change
    var stage: Write.Stage
  }

  /// What became of one write.
  enum Fate {
    case proceed
    /// The write is made, or not, and its answer is lost.
    case answerLost, cutOff
  }

  private var rest: ArraySlice<Piece>
  private var applied: [Write] = []

  init(_ plan: Plan) {
    let staged = plan.changes.filter { $0.staged != nil }
    let direct = plan.changes.filter { $0.staged == nil }
    rest =
      (staged.map { Piece(change: $0, stage: .staged) } + direct.map { Piece(change: $0, stage: .final) }
      + staged.map { Piece(change: $0, stage: .final) })[...]
  }

  /// The entry that is written next.
  var next: (key: Key, stage: Write.Stage)? { rest.first.map { ($0.change.key, $0.stage) } }

  /// Makes the next write.
  ///
  /// - Returns: what became of the plan; nil as long as there is more to write.
  mutating func write(to store: InMemoryDatastore, _ fate: Fate) async throws -> Outcome? {
    guard let piece = rest.popFirst() else { return finished }
    let key = piece.change.key
    let doubt = Write(key, piece.stage, revision: nil)
    if fate == .cutOff { return .unknown(doubt, applied: applied) }
    var single = piece.change
    single.staged = nil
    if piece.stage == .staged, let staged = piece.change.staged { single.final = .value(staged) }
    if let own = applied.last(where: { $0.key == key })?.revision { single.base = .revision(own) }
    guard case .applied(let revisions) = try await store.commit(Plan([single]), deadline: .distantFuture) else {
      return .conflict(key, applied: applied)
    }
    if fate == .answerLost { return .unknown(doubt, applied: applied) }
    applied.append(Write(key, piece.stage, revision: revisions[key]))
    return rest.isEmpty ? finished : nil
  }

  private var finished: Outcome {
    var revisions: [Key: Revision] = [:]
    for write in applied where write.stage == .final { revisions[write.key] = write.revision }
    return .applied(revisions)
  }
}
