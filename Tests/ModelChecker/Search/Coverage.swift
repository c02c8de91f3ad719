import CalicoModel
import Datastore

/// A write of some kind at some place of a plan.
public struct WritePosition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Places from here on are counted together.
  static let last = 8

  enum Kind: String, Sendable {
    case block, affinity, handle, other
  }

  enum Verb: String, Sendable {
    case create, update, delete
  }

  enum Stage: String, Sendable {
    case staged, final
  }

  let operation: Action.Name
  let isAtomic: Bool
  let kind: Kind
  let verb: Verb
  let stage: Stage
  let position: Int

  public var description: String {
    let mode = isAtomic ? "atomic" : "staged"
    let place = position < Self.last ? String(position) : "\(Self.last)+"
    return [operation.rawValue, mode, kind.rawValue, verb.rawValue, stage.rawValue, place].joined(separator: " | ")
  }

  /// Reads a position as ``description`` writes it.
  public init?(_ text: String) {
    let parts = text.split(separator: "|").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    guard parts.count == 6, let operation = Action.Name(rawValue: parts[0]), let kind = Kind(rawValue: parts[2]),
      let verb = Verb(rawValue: parts[3]), let stage = Stage(rawValue: parts[4])
    else { return nil }
    self.operation = operation
    isAtomic = parts[1] == "atomic"
    self.kind = kind
    self.verb = verb
    self.stage = stage
    position = Int(parts[5]) ?? Self.last
  }

  public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

  /// The position of one of a commit's writes.
  init(_ write: PlannedWrite, _ position: Int, of commit: Commit, _ operation: Action.Name, isAtomic: Bool) {
    self.operation = operation
    self.isAtomic = isAtomic
    switch write.key {
    case .block: kind = .block
    case .affinity: kind = .affinity
    case .handle: kind = .handle
    default: kind = .other
    }
    if write.value == nil {
      verb = .delete
    } else if case .absent = commit.plan.changes[write.change].base,
      commit.writes.firstIndex(where: {
        $0.key == write.key
      }) == position
    {
      verb = .create
    } else {
      verb = .update
    }
    stage = write.stage == .staged ? .staged : .final
    self.position = min(position, Self.last)
  }
}

/// How often writes were begun, and cut off.
public struct Coverage: Sendable {
  public init() {}

  public private(set) var begun: [WritePosition: Int] = [:]
  public private(set) var cut: [WritePosition: Int] = [:]
  public private(set) var histories = 0
  public private(set) var writes = 0
  public private(set) var operations = 0

  mutating func begin(_ position: WritePosition) { begun[position, default: 0] += 1 }

  mutating func cutOff(_ position: WritePosition) { cut[position, default: 0] += 1 }

  mutating func count(operations: Int, writes: Int) {
    histories += 1
    self.operations += operations
    self.writes += writes
  }

  /// Adds what another run covered.
  public mutating func merge(_ other: Coverage) {
    begun.merge(other.begun, uniquingKeysWith: +)
    cut.merge(other.cut, uniquingKeysWith: +)
    histories += other.histories
    writes += other.writes
    operations += other.operations
  }

  /// The positions that were reached, and were cut off less often than that.
  ///
  /// Positions that are reached in few histories only, such as the last of unusually long plans, cannot be cut off
  /// often; the table has them.
  ///
  /// - Parameter minimum: how often.
  /// - Returns: the positions.
  public func scarce(below minimum: Int) -> Set<WritePosition> {
    Set(begun.filter { $0.value * Self.rarity >= histories && cut[$0.key, default: 0] < minimum }.keys)
  }

  /// Of so many histories one at least reaches a position that is not rare.
  private static let rarity = 100

  /// A line for each position.
  public var table: [String] {
    begun.keys.sorted().map { "\($0) | begun \(begun[$0] ?? 0) | cut off \(cut[$0] ?? 0)" }
  }
}
