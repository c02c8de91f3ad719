import JSON

/// The switches of address management (Calico IPAM specification, section 1.9).
public struct IPAMConfiguration: Hashable, Sendable {
  /// Whether addresses keep their address when a virtual machine's pod is replaced.
  public enum AddressPersistence: String, Hashable, Sendable {
    case enabled = "Enabled"
    case disabled = "Disabled"
  }

  /// Whether a node may use addresses of its own blocks only.
  public var strictAffinity = false
  /// Whether new blocks are claimed on demand.
  public var autoAllocateBlocks = true
  /// The most blocks that a node claims; 0 stands for the default, ``defaultMaxBlocksPerHost``.
  public var maxBlocksPerHost = 0
  /// Nil when the stored object does not say, which means enabled.
  public var virtualMachineAddressPersistence: AddressPersistence?
  /// How long a released address stays unused, in seconds: 0 to 1200.
  public var cooldownSeconds = 0
  var unknown = UnknownMembers()

  /// The most blocks of a node when neither configuration nor request says.
  public static let defaultMaxBlocksPerHost = 20

  /// What holds when there is no stored object.
  public init() {
    virtualMachineAddressPersistence = .enabled
  }

  /// Reads the form of etcd and SQLite, in which an absent member means false, not the default.
  ///
  /// - Parameter document: the stored text.
  /// - Throws: ``ModelError`` when it is malformed.
  public init(decoding document: [UInt8]) throws(ModelError) {
    autoAllocateBlocks = false
    try JSONReader.readEntry(document) { reader throws(JSONError) in
      try reader.beginObject()
      while let key = try reader.nextKey() {
        try take(key, from: &reader, of: document)
      }
    }
  }

  private mutating func take(_ key: JSONText, from reader: inout JSONReader, of document: [UInt8]) throws(JSONError) {
    if key.is("strict_affinity") {
      strictAffinity = try reader.readFlag()
    } else if key.is("auto_allocate_blocks") {
      autoAllocateBlocks = try reader.readFlag()
    } else if key.is("maxBlocksPerHost") {
      maxBlocksPerHost = try reader.readNull() ? 0 : try reader.readInteger()
    } else if key.is("kubeVirtVMAddressPersistence") {
      virtualMachineAddressPersistence = try reader.readNull() ? nil : AddressPersistence(rawValue: reader.readString())
    } else if key.is("ipCooldownSeconds") {
      cooldownSeconds = try reader.readNull() ? 0 : try reader.readInteger()
    } else {
      try unknown.take(key, from: &reader, of: document)
    }
  }

  /// The form of etcd and SQLite.
  public func encoded() -> [UInt8] {
    var members = JSONWriter(reservingCapacity: 160)
    if strictAffinity { members.literal(",\"strict_affinity\":true") }
    if autoAllocateBlocks { members.literal(",\"auto_allocate_blocks\":true") }
    if maxBlocksPerHost != 0 {
      members.literal(",\"maxBlocksPerHost\":")
      members.integer(maxBlocksPerHost)
    }
    if let virtualMachineAddressPersistence {
      members.literal(",\"kubeVirtVMAddressPersistence\":")
      members.string(virtualMachineAddressPersistence.rawValue)
    }
    if cooldownSeconds != 0 {
      members.literal(",\"ipCooldownSeconds\":")
      members.integer(cooldownSeconds)
    }
    unknown.write(to: &members)
    var writer = JSONWriter(reservingCapacity: members.bytes.count + 2)
    writer.literal("{")
    writer.raw(members.bytes.dropFirst())
    writer.literal("}")
    return writer.bytes
  }
}
