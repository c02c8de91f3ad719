import CalicoModel
import Datastore
import IPAddressing
import JSON

/// What address management keeps, as the documents that Kubernetes has of it, whatever the datastore (Calico IPAM
/// specification, sections 1.6 to 1.8).
enum AllocationObject {
  /// The document of a block.
  static func document(_ cidr: CIDR, _ stored: Stored) throws -> JSONObject {
    let members = try members(stored, .block(cidr))
    var specification: JSONObject = ["cidr": .string(cidr.description)]
    for (name, stored) in [
      ("affinity", "affinity"), ("affinityClaimTime", "affinity_claim_time"), ("allocations", "allocations"),
      ("unallocated", "unallocated"), ("attributes", "attributes"), ("sequenceNumber", "sequenceNumber"),
      ("sequenceNumberForAllocation", "sequenceNumberForAllocation"), ("deleted", "deleted"),
    ] {
      guard let value = members[stored], value != .null else { continue }
      specification[name] = value
    }
    let renamed = ["affinity_claim_time", "hostAffinity"]
    return document(.block, ObjectName.of(cidr), stored, specification, members, renamed)
  }

  /// The document of an affinity.
  static func document(_ owner: BlockOwner, _ cidr: CIDR, _ stored: Stored) throws -> JSONObject {
    // Very old data has no text at all.
    let members = stored.bytes.isEmpty ? [:] : try members(stored, .affinity(owner, cidr))
    let specification: JSONObject = [
      "state": members["state"] ?? "", "node": .string(owner.name), "type": .string(owner.kind.rawValue),
      "cidr": .string(cidr.description), "deleted": members["deleted"] ?? false,
    ]
    return document(.blockAffinity, ObjectName.ofAffinity(owner.name, cidr), stored, specification, members)
  }

  /// The document of a handle. It is named by its identifier, which is shortened nowhere.
  static func document(handle identifier: String, _ stored: Stored) throws -> JSONObject {
    let members = try members(stored, .handle(identifier))
    let specification: JSONObject = [
      "handleID": .string(identifier), "block": members["block"] ?? [:], "deleted": members["deleted"] ?? false,
    ]
    return document(.handle, identifier, stored, specification, members)
  }

  private static func members(_ stored: Stored, _ key: Key) throws -> JSONObject {
    let reason: String
    do {
      if case .object(let members) = try JSON(parsing: stored.bytes) { return members }
      reason = "not an object"
    } catch {
      reason = "\(error)"
    }
    throw ResourceError(.unreadable(key), "\(key) cannot be understood: \(reason)")
  }

  private static func document(
    _ kind: ShownKind, _ name: String, _ stored: Stored, _ specification: JSONObject, _ members: JSONObject,
    _ renamed: [String] = []
  ) -> JSONObject {
    var specification = specification
    for member in members.members where !renamed.contains(member.key) && specification[member.key] == nil {
      if member.value != .null { specification[member.key] = member.value }
    }
    return [
      "kind": .string(kind.name), "apiVersion": .string(ResourceKind.apiVersion),
      "metadata": ["name": .string(name), "resourceVersion": .string(stored.revision.token)],
      "spec": .object(specification),
    ]
  }
}
