import CalicoModel
import IPAddressing

// Affinities (Calico IPAM specification, section 1.7): what is in the key in etcd is in the specification here.

extension EntryForm {
  private static let affinityMembers = ["state", "node", "type", "cidr", "deleted"]

  func affinity(_ specification: ArraySlice<UInt8>?) throws(ObjectError) -> Content? {
    let members = try JSONMembers(specification, at: "spec")
    let cidr = try network(members)
    let owner = try members.string("node") ?? ""
    if owner.isEmpty { throw ObjectError(field: members.path("node"), reason: "it names no node") }
    // Releases that knew nodes only wrote no type.
    let type = try members.string("type") ?? ""
    guard let kind = type.isEmpty ? .host : BlockOwner.Kind(rawValue: type) else { return nil }
    let isDeleted = try isDeleted(members)
    var writer = JSONObjectWriter(reservingCapacity: 64)
    writer.member("state", members["state"])
    writer.member("deleted", bool: isDeleted)
    for other in members.others(Self.affinityMembers) { writer.member(other.name, other.text) }
    return Content(key: .affinity(BlockOwner(kind, owner), cidr), bytes: writer.finished(), isDeleted: isDeleted)
  }

  /// Whether an affinity is being deleted: text in the first group, of any of the spellings that Go's parser takes.
  func isDeleted(_ members: JSONMembers) throws(ObjectError) -> Bool {
    guard group == .v1 else { return try members.bool("deleted") ?? false }
    let text = try members.string("deleted") ?? ""
    switch text {
    case "", "0", "f", "F", "FALSE", "false", "False": return false
    case "1", "t", "T", "TRUE", "true", "True": return true
    default:
      throw ObjectError(field: members.path("deleted"), reason: "\"\(text)\" is neither \"true\" nor \"false\"")
    }
  }

  /// The `spec` of an affinity.
  func affinitySpecification(
    _ bytes: [UInt8], _ owner: BlockOwner, _ cidr: CIDR, isDeleted: Bool
  ) throws(ObjectError) -> [UInt8] {
    let members = try JSONMembers(bytes.isEmpty ? nil : bytes[...])
    var writer = JSONObjectWriter(reservingCapacity: 160)
    writer.member("state", string: try members.string("state") ?? "")
    writer.member("node", string: owner.name)
    writer.member("type", string: owner.kind.rawValue)
    writer.member("cidr", string: cidr.description)
    switch group {
    case .v1: writer.member("deleted", string: isDeleted ? "true" : "false")
    case .v3: writer.member("deleted", bool: isDeleted)
    }
    for other in members.others(Self.affinityMembers) { writer.member(other.name, other.text) }
    return writer.finished()
  }
}
