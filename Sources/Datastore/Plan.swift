public import CalicoModel

/// What an entry must be for a change to be made.
public enum Base: Hashable, Sendable {
  /// There must be none.
  case absent
  /// It must be the one that was read.
  case revision(Revision)
  /// Whatever it is. Only for what an operator overwrites knowingly.
  case any
}

/// One entry's part of a ``Plan``.
public struct Change: Hashable, Sendable {
  public enum Final: Hashable, Sendable {
    case value(Value)
    case delete
  }

  public var key: Key
  public var base: Base
  /// What a driver without transactions writes first, so that a crash in between leaves a state that others understand;
  /// a driver with transactions leaves it out.
  public var staged: Value?
  public var final: Final

  public init(_ key: Key, base: Base, staged: Value? = nil, final: Final) {
    self.key = key
    self.base = base
    self.staged = staged
    self.final = final
  }
}

/// Changes that belong together.
///
/// A driver with transactions makes all of them or none, writing each entry once. A driver without goes through the
/// stages in order: first every `staged` value, in the order of the changes; then the final of every change without a
/// staged value; then the final of every change with one. Each write compares with the base, or with the revision that
/// the driver's own earlier write of that entry returned, and the first that fails ends it.
public struct Plan: Hashable, Sendable {
  /// How safe the changes must be before the commit returns.
  public enum Durability: Hashable, Sendable {
    /// They may be lost with the power, as a consistent last part: what they record ended with the power as well.
    case process
    /// They survive the power.
    case disk
  }

  public var changes: [Change]
  public var durability: Durability

  public init(_ changes: [Change] = [], durability: Durability = .process) {
    self.changes = changes
    self.durability = durability
  }

  public var isEmpty: Bool { changes.isEmpty }
}

/// What became of a plan.
public enum Outcome: Hashable, Sendable {
  /// All changes are made. The revisions are those of the entries that now exist.
  case applied([Key: Revision])
  /// An entry was not what the plan was made from. What had been written before that, stage by stage, is in `applied`.
  case conflict(Key, applied: [Write])
  /// The connection broke while something was being written, which may or may not have been done.
  case unknown(Write?, applied: [Write])
}

/// One write of a stage.
public struct Write: Hashable, Sendable {
  public enum Stage: Hashable, Sendable {
    case staged
    case final
  }

  public var key: Key
  public var stage: Stage
  /// The entry's revision afterwards; nil when it is gone, or not known.
  public var revision: Revision?

  public init(_ key: Key, _ stage: Stage, revision: Revision?) {
    self.key = key
    self.stage = stage
    self.revision = revision
  }
}
