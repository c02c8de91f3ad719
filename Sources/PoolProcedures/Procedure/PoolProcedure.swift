public import CalicoModel
import IPAddressing
import JSON

/// A change of pools that takes several steps, and what has to be known to go on with it or back from it.
///
/// Both procedures of Calico's documentation ("Migrate from one IP pool to another", "Change IP pool block size") lead
/// workloads out of one pool, the *source*, into another, the *stand-in*. A migration ends there. Changing the size of
/// blocks goes on: the source is made anew with blocks of the other size, and workloads are led back out of the stand-in.
///
/// The record of a procedure is an annotation of the stand-in, which is there for as long as the procedure lasts; so any
/// host can continue. How far it is, nobody has to record: that is what the two pools are (``next(_:)``).
public struct PoolProcedure: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// From one pool to another.
    case migration = "migrate"
    /// To blocks of another size, in the same range.
    case resizing = "resize-blocks"
  }

  public enum Direction: String, Hashable, Sendable {
    case forward
    /// To where the procedure began.
    case back
  }

  /// The two pools of a procedure.
  public enum Role: Hashable, Sendable, CaseIterable {
    /// The pool that is given up, or cut into blocks of another size.
    case source
    /// The pool that takes over, for good or for the time being.
    case standIn
  }

  /// What the source can be.
  public enum Form: Hashable, Sendable {
    /// As it was when the procedure began.
    case original
    /// With blocks of the other size.
    case resized
  }

  public let kind: Kind
  public var direction: Direction
  /// Which run of a program the procedure belongs to: a random UUID that every run writes anew to both pools, so that
  /// what an earlier one may still want to write meets another revision.
  public var turn: String
  /// When it began, in RFC 3339.
  public let beganAt: String
  /// The source as it was.
  public let original: Resource
  /// The name of the stand-in.
  public let standIn: String
  /// Whether the stand-in is there because of this procedure.
  public let createsStandIn: Bool
  /// The size that the source's blocks are to have, as a prefix length; nil when they keep it.
  public let blockSize: Int?

  /// A procedure that begins.
  ///
  /// - Parameters:
  ///   - kind: which one.
  ///   - source: the source as it is stored.
  ///   - standIn: the stand-in's name.
  ///   - createsStandIn: whether it is to be created.
  ///   - blockSize: the new size of the source's blocks; for a migration nil.
  ///   - turn: the run that begins it.
  ///   - beganAt: now, in RFC 3339.
  public init(
    _ kind: Kind, source: Resource, standIn: String, createsStandIn: Bool, blockSize: Int? = nil, turn: String,
    beganAt: String
  ) {
    self.kind = kind
    direction = .forward
    self.turn = turn
    self.beganAt = beganAt
    var original = source
    original.resourceVersion = nil
    original[annotation: ProcedureAnnotations.mark] = nil
    self.original = original
    self.standIn = standIn
    self.createsStandIn = createsStandIn
    self.blockSize = blockSize
  }

  /// The name of the source.
  public var source: String { original.name }

  /// The name of a pool.
  public func name(of role: Role) -> String { role == .source ? source : standIn }

  /// What the source is to be in the end; nil when it is to be gone.
  public var goal: Form? {
    switch (direction, kind) {
    case (.back, _): .original
    case (.forward, .resizing): .resized
    case (.forward, .migration): nil
    }
  }
}

// MARK: - The record

extension PoolProcedure {
  /// The form of records that this version writes and reads.
  static let version: Int64 = 1

  /// The record as the stand-in's annotation has it.
  var record: String {
    var members: JSONObject = [
      "version": .number(JSONNumber(Self.version)), "kind": .string(kind.rawValue),
      "direction": .string(direction.rawValue), "turn": .string(turn), "began": .string(beganAt),
      "createsStandIn": .bool(createsStandIn), "source": .object(original.document),
    ]
    if let blockSize { members["blockSize"] = .number(JSONNumber(blockSize)) }
    return String(decoding: JSON.object(members).encoded(), as: UTF8.self)
  }

  /// Reads the record that a pool has.
  ///
  /// - Parameters:
  ///   - record: the annotation's text.
  ///   - standIn: the name of the pool that has it.
  /// - Throws: ``ProcedureError`` of code `unreadable` when it is none of this version.
  init(record: String, standIn: String) throws(ProcedureError) {
    let document: JSONObject?
    do throws(JSONError) {
      document = try JSON(parsing: Array(record.utf8)).objectValue
    } catch {
      throw .unreadable(standIn, error.description)
    }
    guard let document else { throw .unreadable(standIn, "not an object") }
    guard document["version"]?.numberValue?.int64 == Self.version else {
      throw .unreadable(standIn, "not of version \(Self.version)")
    }
    guard let kind = document["kind"]?.stringValue.flatMap({ Kind(rawValue: $0) }),
      let direction = document["direction"]?.stringValue.flatMap({ Direction(rawValue: $0) }),
      let turn = document["turn"]?.stringValue, let beganAt = document["began"]?.stringValue,
      let createsStandIn = document["createsStandIn"]?.boolValue, let source = document["source"]?.objectValue,
      let name = source["metadata"]?.objectValue?["name"]?.stringValue, !name.isEmpty,
      source["spec"]?.objectValue?["cidr"]?.stringValue.flatMap({ CIDR($0) }) != nil
    else { throw .unreadable(standIn, "a member is missing or of the wrong type") }
    let blockSize = document["blockSize"]?.numberValue?.int64.map { Int($0) }
    guard (blockSize != nil) == (kind == .resizing), createsStandIn || kind == .migration else {
      throw .unreadable(standIn, "its members do not fit together")
    }
    self.kind = kind
    self.direction = direction
    self.turn = turn
    self.beganAt = beganAt
    self.createsStandIn = createsStandIn
    self.standIn = standIn
    self.blockSize = blockSize
    original = Resource(.ipPool, name: name, document: source)
  }
}
