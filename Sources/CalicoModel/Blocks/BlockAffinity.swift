import JSON

/// An owner's claim of a block. It says what its owner is about to do or has done; it entitles nobody to an address
/// (Calico IPAM specification, sections 1.7 and 2.8).
public struct BlockAffinity: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    /// The owner is about to make the block.
    case pending
    /// The block exists and names this owner.
    case confirmed
    /// The owner is about to give the block up.
    case pendingDeletion
    /// Very old data: no state.
    case unstated
    /// A state that this version does not know, kept as it is.
    case other(String)

    var text: String {
      switch self {
      case .pending: "pending"
      case .confirmed: "confirmed"
      case .pendingDeletion: "pendingDeletion"
      case .unstated: ""
      case .other(let text): text
      }
    }

    init(_ text: String) {
      switch text {
      case "pending": self = .pending
      case "confirmed": self = .confirmed
      case "pendingDeletion": self = .pendingDeletion
      case "": self = .unstated
      default: self = .other(text)
      }
    }
  }

  public var state: State
  /// Whether the entry is being deleted, where deletion takes two writes.
  public var isDeleted = false
  var unknown = UnknownMembers()

  public init(_ state: State) {
    self.state = state
  }

  /// Reads the form of etcd and SQLite; no bytes at all are very old data.
  ///
  /// - Parameter document: the stored text.
  /// - Throws: ``ModelError`` when it is malformed.
  public init(decoding document: [UInt8]) throws(ModelError) {
    self.init(.unstated)
    if document.isEmpty { return }
    try JSONReader.readEntry(document) { reader throws(JSONError) in
      try reader.beginObject()
      while let key = try reader.nextKey() {
        if key.is("state") {
          state = State(try reader.readNull() ? "" : try reader.readString())
        } else if key.is("deleted") {
          isDeleted = try reader.readFlag()
        } else {
          try unknown.take(key, from: &reader, of: document)
        }
      }
    }
  }

  /// The form of etcd and SQLite.
  public func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 48)
    writer.literal("{\"state\":")
    writer.string(state.text)
    writer.literal(",\"deleted\":")
    writer.bool(isDeleted)
    unknown.write(to: &writer)
    writer.literal("}")
    return writer.bytes
  }
}
