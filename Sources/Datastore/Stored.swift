public import CalicoModel
public import IPAddressing

/// An entry as a driver read it: undecoded, because most of what is read is not needed.
public struct Stored: Hashable, Sendable {
  /// The JSON that etcd and SQLite keep, whatever the driver's own form is.
  public var bytes: [UInt8]
  public var revision: Revision

  public init(bytes: [UInt8], revision: Revision) {
    self.bytes = bytes
    self.revision = revision
  }
}

extension Stored {
  /// The block in this entry.
  public func block(_ cidr: CIDR) throws(ModelError) -> IPAMBlock { try IPAMBlock(decoding: bytes, expected: cidr) }

  /// The affinity in this entry.
  public func affinity() throws(ModelError) -> BlockAffinity { try BlockAffinity(decoding: bytes) }

  /// The handle in this entry.
  public func handle() throws(ModelError) -> IPAMHandle { try IPAMHandle(decoding: bytes) }

  /// The configuration in this entry.
  public func configuration() throws(ModelError) -> IPAMConfiguration { try IPAMConfiguration(decoding: bytes) }
}

/// What is to be written: a value of the type that its key demands.
public enum Value: Hashable, Sendable {
  case block(IPAMBlock)
  case affinity(BlockAffinity)
  case handle(IPAMHandle)
  case configuration(IPAMConfiguration)
  /// A resource's whole text, in the form of etcd.
  case resource([UInt8])

  /// The JSON that etcd and SQLite keep.
  public func encoded() -> [UInt8] {
    switch self {
    case .block(let block): block.encoded()
    case .affinity(let affinity): affinity.encoded()
    case .handle(let handle): handle.encoded()
    case .configuration(let configuration): configuration.encoded()
    case .resource(let text): text
    }
  }
}
