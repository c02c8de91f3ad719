public import CalicoModel
public import Datastore
public import IPAddressing
import JSON
import Terminal

/// A block as it is stored, whether or not it makes sense: what is to be checked.
public struct BlockRecord: Sendable {
  /// What is recorded of the owner of addresses.
  public struct Attribute: Hashable, Sendable {
    public var handleID: String?
    public var owner: [String: String]
    public var alternateOwner: [String: String]
    public var releasedAt: Timestamp?

    /// `Main:k8s-pod-network.c1 Extra:node=node-1,pod=web-0`
    public var text: String {
      var text = "Main:\(handleID ?? "<none>") Extra:\(Self.list(owner))"
      if !alternateOwner.isEmpty { text += " Alternate:\(Self.list(alternateOwner))" }
      return PrintableText.of(text)
    }

    private static func list(_ attributes: [String: String]) -> String {
      attributes.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { "\($0.key)=\($0.value)" }.joined(
        separator: ",")
    }

    /// The handle without what an old migration appended.
    public var sanitizedHandleID: String? { handleID.map { AllocationAttribute.sanitized($0) } }

    /// Whether the address is kept by a Windows host for itself.
    public var isWindowsReservation: Bool { handleID?.lowercased() == AllocationAttribute.windowsReservedHandle }
  }

  public let cidr: CIDR
  public let affinity: String?
  /// For each ordinal the index of its attribute; nil when it is free.
  public let allocations: [Int?]
  public let unallocated: [Int]
  public let attributes: [Attribute]
  /// For each ordinal the sequence number with which it was given out.
  public let numbers: [Int: UInt64]

  /// Reads a block's text.
  ///
  /// - Throws: `ModelError` when it is no JSON object.
  public init(_ stored: Stored, _ cidr: CIDR) throws(ModelError) {
    let members: JSONObject
    do {
      guard case .object(let object) = try JSON(parsing: stored.bytes) else {
        throw ModelError(.malformed, "the value is no object")
      }
      members = object
    } catch let error as JSONError {
      throw ModelError(.malformed, error.description)
    } catch {
      throw ModelError(.malformed, "\(error)")
    }
    self.cidr = cidr
    affinity = members["affinity"]?.stringValue
    allocations = (members["allocations"]?.arrayValue ?? []).map { $0.numberValue?.int64.map { Int($0) } }
    unallocated = (members["unallocated"]?.arrayValue ?? []).compactMap { $0.numberValue?.int64.map { Int($0) } }
    attributes = (members["attributes"]?.arrayValue ?? []).map { Attribute($0.objectValue ?? JSONObject()) }
    var numbers: [Int: UInt64] = [:]
    for member in members["sequenceNumberForAllocation"]?.objectValue?.members ?? [] {
      if let ordinal = Int(member.key), let number = member.value.numberValue?.uint64 { numbers[ordinal] = number }
    }
    self.numbers = numbers
  }

  /// The address at an ordinal; nil outside the block.
  public func address(at ordinal: Int) -> IPAddress? {
    guard ordinal >= 0, let address = cidr.address.advanced(by: UInt128(ordinal)), cidr.contains(address) else {
      return nil
    }
    return address
  }

  /// The attribute that an allocation refers to; nil when there is none.
  public func attribute(_ index: Int) -> Attribute? { attributes.indices.contains(index) ? attributes[index] : nil }

  /// The host whose block it is; empty for nobody's.
  public var host: String {
    let parts = (affinity ?? "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? String(parts[1]) : ""
  }

  /// The first reason why the block is not valid (calicoctl specification, section 3.3); nil when there is none.
  public func invalidity(at time: Timestamp) -> String? {
    var isReferenced = [Bool](repeating: false, count: attributes.count)
    for (ordinal, index) in allocations.enumerated() {
      guard let index else { continue }
      guard attributes.indices.contains(index) else {
        return "allocation \(ordinal) indexes a nonexistent attribute \(index)"
      }
      isReferenced[index] = true
    }
    for (index, attribute) in attributes.enumerated() {
      guard isReferenced[index] else { return "attribute index \(index) exists but is not indexed by an allocation" }
      if let releasedAt = attribute.releasedAt, releasedAt > time {
        return "attribute index \(index) has releasedAt in the future, suggesting clock skew"
      }
    }
    return queueInvalidity
  }

  private var queueInvalidity: String? {
    let size = cidr.hostBits < 32 ? 1 << cidr.hostBits : Int.max
    var seen: Set<Int> = []
    for ordinal in unallocated {
      guard ordinal >= 0, ordinal < size else {
        return "ordinal \(ordinal) appears in the Unallocated array but is out of the block"
      }
      guard seen.insert(ordinal).inserted else {
        return "ordinal \(ordinal) appears more than once in Unallocated array"
      }
      if allocations.indices.contains(ordinal), allocations[ordinal] != nil {
        return "ordinal \(ordinal) is allocated but appears in Unallocated"
      }
    }
    let allocated = allocations.count { $0 != nil }
    guard unallocated.count + allocated == size else {
      let sum = "Unallocated (\(unallocated.count)) + Allocated (\(allocated)) = \(unallocated.count + allocated)"
      return "expected \(size) addresses in this block, but \(sum)"
    }
    return nil
  }
}

extension BlockRecord.Attribute {
  fileprivate init(_ members: JSONObject) {
    handleID = members["handle_id"]?.stringValue
    owner = Self.strings(members["secondary"])
    alternateOwner = Self.strings(members["alternateOwnerAttrs"])
    releasedAt = members["releasedAt"]?.stringValue.flatMap { Timestamp($0) }
  }

  private static func strings(_ value: JSON?) -> [String: String] {
    let members = value?.objectValue?.members ?? []
    return Dictionary(members.compactMap { member in member.value.stringValue.map { (member.key, $0) } }) { $1 }
  }
}
