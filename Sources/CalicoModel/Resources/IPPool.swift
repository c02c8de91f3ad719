public import IPAddressing
import JSON

/// A range of addresses that blocks are cut from (Calico IPAM specification, section 4.1): what address management
/// reads of it, with the defaults for what is absent.
public struct IPPool: Hashable, Sendable {
  /// What addresses of a pool may be for.
  public enum AllowedUse: String, Hashable, Sendable, CaseIterable {
    case workload = "Workload"
    case tunnel = "Tunnel"
    case loadBalancer = "LoadBalancer"
  }

  /// When packets between nodes are wrapped.
  public enum EncapsulationMode: String, Hashable, Sendable, CaseIterable {
    case never = "Never"
    case always = "Always"
    case crossSubnet = "CrossSubnet"
  }

  public let name: String
  /// The range as it is written, for messages and for filters by text.
  public let writtenCIDR: String
  /// The range, without host bits; nil when the text is none.
  public let cidr: CIDR?
  /// The prefix length of the pool's blocks.
  public let blockSize: Int
  /// Whether no new addresses are to be given out.
  public let isDisabled: Bool
  /// Whether the resource is being deleted.
  public let isDeleting: Bool
  /// Whether no condition says that the pool cannot be used.
  public let isAllocatable: Bool
  /// Which nodes may use the pool; empty means all.
  public let nodeSelector: String
  /// Which pods' namespaces may use the pool; empty means all.
  public let namespaceSelector: String
  public let allowedUses: [AllowedUse]
  /// Whether the pool is used without being asked for by name.
  public let isAutomatic: Bool
  /// When packets are wrapped in IPv4; nil for a mode that this version does not know.
  public let ipipMode: EncapsulationMode?
  /// When packets are wrapped in VXLAN; nil for a mode that this version does not know.
  public let vxlanMode: EncapsulationMode?

  /// Why no addresses can be assigned from a pool, whoever asks.
  public enum Obstacle: Hashable, Sendable {
    /// `disabled` is set.
    case disabled
    /// The resource is being deleted.
    case beingDeleted
    /// The condition `Allocatable` is `False`.
    case notAllocatable
    /// The range is none, or cannot be cut into blocks of the pool's size.
    case blockSize
  }

  /// Why no addresses can be assigned from the pool; nil when they can.
  public var obstacle: Obstacle? {
    if isEnabled { return nil }
    if isDisabled { return .disabled }
    if isDeleting { return .beingDeleted }
    return isAllocatable ? .blockSize : .notAllocatable
  }

  /// Whether addresses can be assigned from the pool.
  public var isEnabled: Bool { !isDisabled && !isDeleting && isAllocatable && hasUsableBlockSize }

  /// Whether the pool can be cut into blocks of its size, and a block of that size can be read: at most
  /// ``IPAMBlock/maximumSize`` addresses. A pool that was written past all validation may have any size.
  public var hasUsableBlockSize: Bool {
    guard let cidr, cidr.subnetBits(blockSize) != nil else { return false }
    return cidr.address.family.bitWidth - blockSize <= 12
  }

  /// The family of the pool; nil when its text is no CIDR.
  public var family: AddressFamily? { cidr?.address.family }

  /// The CIDR of the block that an address lies in, or nil outside the pool.
  public func block(containing address: IPAddress) -> CIDR? {
    guard let cidr, cidr.contains(address), hasUsableBlockSize else { return nil }
    return IPAMBlock.cidr(containing: address, prefixLength: blockSize)
  }

  /// Reads the resource as any of the datastores keeps it.
  ///
  /// - Parameters:
  ///   - document: the resource's text.
  ///   - name: the name in the entry's key.
  /// - Throws: ``ModelError`` when the text is malformed.
  public init(decoding document: [UInt8], name: String) throws(ModelError) {
    let members = try JSONReader.readEntry(document) { reader throws(JSONError) in try Members(from: &reader) }
    self.name = name
    writtenCIDR = members.writtenCIDR
    let written = members.cidr.flatMap { CIDR($0.network, prefixLength: $0.prefixLength) }
    cidr = written
    let isV6 = written?.address.family == .v6
    blockSize = members.blockSize != 0 ? members.blockSize : isV6 ? 122 : 26
    isDisabled = members.isDisabled
    isDeleting = members.isDeleting
    isAllocatable = members.isAllocatable
    nodeSelector = members.nodeSelector
    namespaceSelector = members.namespaceSelector
    allowedUses = members.allowedUses
    isAutomatic = members.isAutomatic
    ipipMode = members.ipipMode
    vxlanMode = members.vxlanMode
  }
}

/// The members of the resource, as they are read.
private struct Members {
  var writtenCIDR = ""
  var cidr: CIDR?
  var blockSize = 0
  var isDisabled = false
  var isDeleting = false
  var isAllocatable = true
  var nodeSelector = ""
  var namespaceSelector = ""
  var allowedUses: [IPPool.AllowedUse] = [.workload, .tunnel]
  var isAutomatic = true
  var ipipMode: IPPool.EncapsulationMode? = .never
  var vxlanMode: IPPool.EncapsulationMode? = .never

  init(from reader: inout JSONReader) throws(JSONError) {
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("spec") {
        try readSpecification(&reader)
      } else if key.is("metadata") {
        try readMetadata(&reader)
      } else if key.is("status") {
        try readStatus(&reader)
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func readSpecification(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if try reader.readNull() { continue }
      if key.is("cidr") {
        writtenCIDR = try reader.readString()
        cidr = CIDR(writtenCIDR)
      } else if key.is("blockSize") {
        blockSize = try reader.readInteger()
      } else if key.is("disabled") {
        isDisabled = try reader.readBool()
      } else if key.is("nodeSelector") {
        nodeSelector = try reader.readString()
      } else if key.is("namespaceSelector") {
        namespaceSelector = try reader.readString()
      } else if key.is("allowedUses") {
        try readAllowedUses(&reader)
      } else if key.is("assignmentMode") {
        isAutomatic = try !reader.readText().is("Manual")
      } else if key.is("ipipMode") {
        ipipMode = try Self.mode(reader.readText())
      } else if key.is("vxlanMode") {
        vxlanMode = try Self.mode(reader.readText())
      } else {
        try reader.skipValue()
      }
    }
  }

  private static func mode(_ text: JSONText) -> IPPool.EncapsulationMode? {
    if text.is("") || text.is("Never") { return .never }
    if text.is("Always") { return .always }
    return text.is("CrossSubnet") ? .crossSubnet : nil
  }

  private mutating func readAllowedUses(_ reader: inout JSONReader) throws(JSONError) {
    var uses: [IPPool.AllowedUse] = []
    var isEmpty = true
    try reader.beginArray()
    while try reader.nextElement() {
      isEmpty = false
      let text = try reader.readText()
      if text.is("Workload") {
        uses.append(.workload)
      } else if text.is("Tunnel") {
        uses.append(.tunnel)
      } else if text.is("LoadBalancer") {
        uses.append(.loadBalancer)
      }
    }
    // A list of nothing is the default; a list of uses unknown here allows none that is known.
    if !isEmpty { allowedUses = uses }
  }

  private mutating func readMetadata(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("deletionTimestamp") {
        isDeleting = try !reader.readNull()
        if isDeleting { try reader.skipValue() }
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func readStatus(_ reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      guard key.is("conditions"), try !reader.readNull() else {
        if !key.is("conditions") { try reader.skipValue() }
        continue
      }
      try reader.beginArray()
      while try reader.nextElement() { try readCondition(&reader) }
    }
  }

  private mutating func readCondition(_ reader: inout JSONReader) throws(JSONError) {
    var isAboutAllocation = false
    var isFalse = false
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("type") {
        isAboutAllocation = try reader.readText().is("Allocatable")
      } else if key.is("status") {
        isFalse = try reader.readText().is("False")
      } else {
        try reader.skipValue()
      }
    }
    if isAboutAllocation, isFalse { isAllocatable = false }
  }
}
