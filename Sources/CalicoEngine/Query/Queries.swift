public import CalicoModel
import Datastore
public import IPAddressing

/// Finds the addresses of a handle, in the order of blocks and then of ordinals (Calico IPAM specification, section
/// 3.11).
public struct AddressesOfHandle: Operation {
  private let handleID: String
  private let time: Timestamp

  public init(_ handleID: String, time: Timestamp) {
    self.handleID = handleID
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<[AcquiredAddress]> {
    try planner.require([.entry(.handle(handleID)), .entry(.configuration)])
    guard let (handle, _) = try planner.handle(handleID) else { throw .failed(.doesNotExist(.handle(handleID))) }
    let blocks = handle.counts.keys.sorted { $0.address < $1.address }
    try planner.require(blocks.map { .entry(.block($0)) })
    let cooldown = try planner.configuration().cooldownSeconds
    var addresses: [AcquiredAddress] = []
    for cidr in blocks {
      guard let (stored, _) = try planner.block(cidr) else { continue }
      var block = stored
      _ = block.collect(time: time, cooldown: cooldown)
      for ordinal in block.ordinals(ofHandle: AllocationAttribute.sanitized(handleID)) {
        addresses.append(
          AcquiredAddress(
            address: CIDR(host: block.address(at: ordinal)), block: cidr,
            sequenceNumber: block.allocationNumbers[ordinal] ?? 0))
      }
    }
    return .done(addresses)
  }

  public mutating func settle(_ settlement: Settlement) {}
}

/// Finds what is recorded of an address (Calico IPAM specification, section 3.13).
public struct AttributesOfAddress: Operation {
  public struct Result: Hashable, Sendable {
    /// The handle without what an old migration appended; nil when there is none.
    public var handleID: String?
    public var owner: [String: String]
    public var alternateOwner: [String: String]
    /// The block of the address.
    public var block: CIDR
    /// The sequence number with which it was given out.
    public var sequenceNumber: UInt64
  }

  private let address: IPAddress
  private let time: Timestamp

  public init(_ address: IPAddress, time: Timestamp) {
    self.address = address
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Result> {
    try planner.require([.list(Planner.allPools), .entry(.configuration)])
    guard let cidr = try planner.enabledBlock(containing: address) else {
      throw .failed(.doesNotExist(address.description, "No valid IPPool"))
    }
    let cooldown = try planner.configuration().cooldownSeconds
    guard let (stored, _) = try planner.block(cidr) else { throw .failed(.doesNotExist(.block(cidr))) }
    var working = stored
    _ = working.collect(time: time, cooldown: cooldown)
    guard let ordinal = working.ordinal(of: address), let attribute = working.attribute(at: ordinal) else {
      throw .failed(.doesNotExist(address.description, "IP is unassigned"))
    }
    guard attribute.releasedAt == nil else {
      throw .failed(EngineError(.coolingDown, "address \(address) is in cooldown"))
    }
    return .done(
      Result(
        handleID: attribute.sanitizedHandleID, owner: attribute.owner, alternateOwner: attribute.alternateOwner,
        block: cidr, sequenceNumber: working.allocationNumbers[ordinal] ?? 0))
  }

  public mutating func settle(_ settlement: Settlement) {}
}

extension Planner {
  /// The block of an address in the first enabled pool that contains it.
  mutating func enabledBlock(containing address: IPAddress) throws(Halt) -> CIDR? {
    try enabledPools(address.family).lazy.compactMap { $0.block(containing: address) }.first
  }
}
