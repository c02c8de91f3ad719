import CalicoModel

// Handles (Calico IPAM specification, section 1.8): the object's name is in lower case, the specification has it exactly.

extension EntryForm {
  private static let handleMembers = ["handleID", "block", "deleted"]

  func handle(_ specification: ArraySlice<UInt8>?) throws(ObjectError) -> Content {
    let members = try JSONMembers(specification, at: "spec")
    let identifier = try members.string("handleID") ?? ""
    if identifier.isEmpty { throw ObjectError(field: members.path("handleID"), reason: "it is missing") }
    let isDeleted = try members.bool("deleted") ?? false
    var writer = JSONObjectWriter(reservingCapacity: specification?.count ?? 0)
    writer.member("block", members["block"] ?? Self.emptyObject)
    writer.member("deleted", bool: isDeleted)
    for other in members.others(Self.handleMembers) { writer.member(other.name, other.text) }
    return Content(key: .handle(identifier), bytes: writer.finished(), isDeleted: isDeleted)
  }

  /// The `spec` of a handle.
  func handleSpecification(_ bytes: [UInt8], _ identifier: String, isDeleted: Bool) throws(ObjectError) -> [UInt8] {
    let members = try JSONMembers(bytes[...])
    var writer = JSONObjectWriter(reservingCapacity: bytes.count + 96)
    writer.member("handleID", string: identifier)
    writer.member("block", members["block"] ?? Self.emptyObject)
    writer.member("deleted", bool: isDeleted)
    for other in members.others(Self.handleMembers) { writer.member(other.name, other.text) }
    return writer.finished()
  }
}
