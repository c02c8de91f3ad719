import CalicoModel

// Blocks (Calico IPAM specification, section 1.6.1). All members but two have the same name and value in both forms.

extension EntryForm {
  private static let blockMembers = [
    "cidr", "affinity", "affinityClaimTime", "allocations", "unallocated", "attributes", "sequenceNumber",
    "sequenceNumberForAllocation", "deleted", "strictAffinity",
  ]

  func block(_ specification: ArraySlice<UInt8>?) throws(ObjectError) -> Content {
    let members = try JSONMembers(specification, at: "spec")
    let cidr = try network(members)
    let isDeleted = try members.bool("deleted") ?? false
    var writer = JSONObjectWriter(reservingCapacity: specification?.count ?? 0)
    writer.member("cidr", members["cidr"])
    writer.member("affinity", members["affinity"] ?? Self.null)
    writer.member("affinity_claim_time", members["affinityClaimTime"])
    writer.member("allocations", members["allocations"])
    writer.member("unallocated", members["unallocated"])
    // A block that never had attributes has none in etcd; here the member is required.
    let attributes = members["attributes"]
    writer.member("attributes", attributes?.count == 2 ? Self.null : attributes ?? Self.null)
    writer.member("sequenceNumber", members["sequenceNumber"])
    writer.member("sequenceNumberForAllocation", members["sequenceNumberForAllocation"])
    writer.member("deleted", bool: isDeleted)
    for other in members.others(Self.blockMembers) { writer.member(other.name, other.text) }
    return Content(key: .block(cidr), bytes: writer.finished(), isDeleted: isDeleted)
  }

  /// The `spec` of a block.
  func blockSpecification(_ bytes: [UInt8], isDeleted: Bool) throws(ObjectError) -> [UInt8] {
    let members = try JSONMembers(bytes[...])
    var writer = JSONObjectWriter(reservingCapacity: bytes.count + 32)
    writer.member("cidr", members["cidr"])
    writer.member("affinity", members["affinity"])
    writer.member("affinityClaimTime", members["affinity_claim_time"])
    writer.member("allocations", members["allocations"])
    writer.member("unallocated", members["unallocated"])
    writer.member("attributes", members["attributes"] ?? Self.emptyArray)
    writer.member("sequenceNumber", members["sequenceNumber"])
    writer.member("sequenceNumberForAllocation", members["sequenceNumberForAllocation"] ?? Self.emptyObject)
    writer.member("deleted", bool: isDeleted)
    writer.member("strictAffinity", bool: false)
    // `hostAffinity` is an input of etcd only.
    for other in members.others(Self.blockMembers + ["affinity_claim_time", "hostAffinity"]) {
      writer.member(other.name, other.text)
    }
    return writer.finished()
  }

  static let null = Array("null".utf8)[...]
  static let emptyArray = Array("[]".utf8)[...]
  static let emptyObject = Array("{}".utf8)[...]
}
