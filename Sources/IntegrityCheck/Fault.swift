public import CalicoModel
public import Datastore
public import IPAddressing

/// Something in a datastore that does not fit the rest of it, or an address that nobody needs, seen at two looks.
public struct Fault: Hashable, Sendable {
  public enum Subject: Hashable, Sendable {
    /// A block that contradicts itself; nothing can be set right in one that cannot be read.
    case block(CIDR, isReadable: Bool)
    /// A handle that does not count what it holds, with the blocks that tell.
    case handle(String, Handle)
    /// A claim of a block that is not its owner's, or not there.
    case staleAffinity(BlockOwner, CIDR)
    /// A claim that nobody has finished, or that is missing, of a block that is its owner's.
    case openAffinity(BlockOwner, CIDR)
    /// A block that gives nothing out and belongs to nobody.
    case emptyBlock(CIDR)
    /// An entry whose deletion was begun and not finished.
    case remains(Key)
    /// An entry that cannot be read.
    case unreadable(String)
  }

  /// What is wrong with a handle.
  public struct Handle: Hashable, Sendable {
    /// The blocks that it names, or that name it.
    public var blocks: [CIDR]
    /// How many addresses it counts; nil when it is missing.
    public var counted: Int?
    /// How many addresses carry it.
    public var held: Int

    public init(blocks: [CIDR], counted: Int?, held: Int) {
      self.blocks = blocks
      self.counted = counted
      self.held = held
    }
  }

  public var subject: Subject
  /// The revision it was seen at, at both looks; nil for an entry that is missing.
  public var revision: Revision?
  /// What is wrong, in words.
  public var text: String

  public init(_ subject: Subject, revision: Revision?, text: String) {
    self.subject = subject
    self.revision = revision
    self.text = text
  }
}

extension Fault {
  /// The entry's place in the datastore, which is a name for it.
  public var path: String {
    switch subject {
    case .block(let cidr, _), .emptyBlock(let cidr): KeyPath.path(of: .block(cidr))
    case .handle(let identifier, _): KeyPath.path(of: .handle(identifier))
    case .staleAffinity(let owner, let cidr), .openAffinity(let owner, let cidr):
      KeyPath.path(of: .affinity(owner, cidr))
    case .remains(let key): KeyPath.path(of: key)
    case .unreadable(let name): name
    }
  }

  /// What it is about: `handle pods.c1`.
  public var name: String {
    switch subject {
    case .block(let cidr, _), .emptyBlock(let cidr): "block \(cidr)"
    case .handle(let identifier, _): "handle \(identifier)"
    case .staleAffinity(let owner, let cidr), .openAffinity(let owner, let cidr): "the affinity of \(owner) to \(cidr)"
    case .remains(let key): "\(key)"
    case .unreadable(let name): name
    }
  }

  /// Whether it may also be somebody's work in progress, so that it has to be seen unchanged for longer than any
  /// operation takes before it is repaired.
  public var mayBeInProgress: Bool {
    switch subject {
    case .handle, .staleAffinity, .openAffinity: true
    case .block, .emptyBlock, .remains, .unreadable: false
    }
  }

  /// What sets it right; nil when nothing can be done but by hand.
  public var remedy: String? {
    switch subject {
    case .block(_, let isReadable): isReadable ? "mend" : nil
    case .handle(_, let handle):
      switch (handle.counted, handle.held) {
      case (_, 0): "delete"
      case (nil, _): "create"
      default: "correct"
      }
    case .staleAffinity, .emptyBlock: "delete"
    case .openAffinity: revision == nil ? "create" : "confirm"
    case .remains: "finish deleting"
    case .unreadable: nil
    }
  }
}

/// An address that is given out and that nobody uses.
public struct Leak: Hashable, Sendable {
  public var address: IPAddress
  public var block: CIDR
  /// The block's revision when it was seen last.
  public var revision: Revision
  /// The handle that has it; nil for none.
  public var handleID: String?
  /// With which number it was given out.
  public var sequenceNumber: UInt64
  /// What is recorded of its owner; nil when that is missing.
  public var attribute: BlockRecord.Attribute?

  public init(
    address: IPAddress, block: CIDR, revision: Revision, handleID: String?, sequenceNumber: UInt64,
    attribute: BlockRecord.Attribute?
  ) {
    self.address = address
    self.block = block
    self.revision = revision
    self.handleID = handleID
    self.sequenceNumber = sequenceNumber
    self.attribute = attribute
  }

  /// The attributes as they are printed.
  public var attributeText: String { attribute?.text ?? "<missing>" }
}
