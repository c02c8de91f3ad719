public import IPAddressing

/// An address to give back, and on what condition.
public struct ReleaseOption: Hashable, Sendable {
  public var address: IPAddress
  /// The handle that must own it; nil for any.
  public var handleID: String?
  /// The sequence number with which it must have been given out; nil for any.
  public var sequenceNumber: UInt64?

  public init(_ address: IPAddress, handleID: String? = nil, sequenceNumber: UInt64? = nil) {
    self.address = address
    self.handleID = handleID
    self.sequenceNumber = sequenceNumber
  }
}

/// Why a release by address is refused: it is not the assignment that the caller meant.
public enum ReleaseConflict: Error, Hashable, Sendable {
  case outsideBlock(IPAddress)
  case sequenceNumber(IPAddress, requested: UInt64, expected: UInt64)
  case handle(IPAddress, requested: String, expected: String)
}

/// What a release by address did.
public struct ReleaseOutcome: Hashable, Sendable {
  /// Addresses that were not given out, in ascending order.
  public var unallocated: [IPAddress] = []
  /// How many addresses were given back, by sanitised handle.
  public var countByHandle: [String: Int] = [:]
  /// The ordinals that were given back, in ascending order.
  public var released: [Int] = []
}

extension IPAMBlock {
  /// Gives addresses back, all or none (Calico IPAM specification, section 2.11).
  ///
  /// - Parameters:
  ///   - options: what to give back; of several for one address the last counts.
  ///   - time: now.
  ///   - cooldown: seconds before an address is free again.
  /// - Returns: what was given back, and what was not given out to begin with.
  /// - Throws: ``ReleaseConflict`` for the lowest address that is not what was meant; the block is then untouched.
  public mutating func release(
    _ options: [ReleaseOption], time: Timestamp, cooldown: Int
  ) throws(ReleaseConflict) -> ReleaseOutcome {
    var byOrdinal: [Int: ReleaseOption] = [:]
    for option in options {
      guard let ordinal = ordinal(of: option.address) else { throw .outsideBlock(option.address) }
      byOrdinal[ordinal] = option
    }
    var outcome = ReleaseOutcome()
    for ordinal in byOrdinal.keys.sorted() {
      guard let option = byOrdinal[ordinal] else { continue }
      let expected = allocationNumbers[ordinal] ?? 0
      if let requested = option.sequenceNumber, requested != expected {
        throw .sequenceNumber(option.address, requested: requested, expected: expected)
      }
      guard isInUse(ordinal), let attribute = attribute(at: ordinal) else {
        outcome.unallocated.append(option.address)
        continue
      }
      let handleID = attribute.sanitizedHandleID ?? ""
      if let requested = option.handleID, requested != handleID {
        throw .handle(option.address, requested: requested, expected: handleID)
      }
      if !handleID.isEmpty { outcome.countByHandle[handleID, default: 0] += 1 }
      outcome.released.append(ordinal)
    }
    release(outcome.released, time: time, cooldown: cooldown, renumbers: true)
    return outcome
  }
}
