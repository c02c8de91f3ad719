import CalicoModel
import JSON

/// The annotations by which pools show that a procedure is under way.
enum ProcedureAnnotations {
  /// On the stand-in: the whole record.
  static let record = "swift-ipam/pool-procedure"
  /// On the source: the stand-in's name and the turn, so that nobody begins another procedure, and so that what a run
  /// that was overtaken still wants to write meets another revision.
  static let mark = "swift-ipam/pool-procedure-of"
}

/// What the source's mark says.
struct ProcedureMark: Hashable, Sendable {
  var standIn: String
  var turn: String

  init(_ procedure: PoolProcedure) {
    standIn = procedure.standIn
    turn = procedure.turn
  }

  /// Reads a mark: two words. A text that is none is no mark.
  init?(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count == 2 else { return nil }
    standIn = words[0]
    turn = words[1]
  }

  var text: String { "\(standIn) \(turn)" }
}

extension Resource {
  /// An annotation; nil when there is none. The last one to go takes the empty member with it.
  subscript(annotation key: String) -> String? {
    get { metadata["annotations"]?.objectValue?[key]?.stringValue }
    set {
      var annotations = metadata["annotations"]?.objectValue ?? JSONObject()
      annotations[key] = newValue.map { .string($0) }
      metadata["annotations"] = annotations.members.isEmpty ? nil : .object(annotations)
    }
  }

  /// Whether the pool is to give nothing out.
  var isDisabled: Bool { specification["disabled"]?.boolValue ?? false }
}
