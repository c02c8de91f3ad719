import CalicoModel
import Datastore
import JSON

/// A Node of Kubernetes with what Calico kept of it elsewhere. Nodes are Kubernetes's; only what is missing is added.
struct NodeCompletion {
  /// The node as it is to be.
  private(set) var node: Resource
  /// The members of which the two say something else.
  private(set) var contradictions: [String] = []

  /// What Kubernetes says of its nodes itself.
  private static let ofKubernetes: Set<String> = ["addresses", "orchRefs", "interfaces", "podCIDR", "podCIDRs"]

  /// Compares; nil when nothing is missing.
  ///
  /// - Parameters:
  ///   - wanted: the node as it was.
  ///   - stored: the node in Kubernetes.
  /// - Throws: ``MigrationError`` when that cannot be understood.
  init?(_ wanted: Resource, _ stored: Stored) throws(MigrationError) {
    let found: Resource
    do throws(ResourceError) {
      found = try Resource(stored: stored.bytes, kind: .node, name: wanted.name)
    } catch {
      throw MigrationError(.unreadable, "\(error)")
    }
    node = found
    node.specification = complete(found.specification, wanted.specification, "spec")
    let status = complete(found.status ?? [:], wanted.status ?? [:], "status")
    if !status.members.isEmpty { node.status = status }
    if contradictions.isEmpty, node.encoded() == found.encoded() { return nil }
  }

  /// An object with the members of another that it lacks.
  private mutating func complete(_ object: JSONObject, _ wanted: JSONObject, _ place: String) -> JSONObject {
    var result = object
    for member in wanted.members where !Self.ofKubernetes.contains(member.key) && member.value != .null {
      let path = "\(place).\(member.key)"
      switch (object[member.key], member.value) {
      case (nil, let value), (.null?, let value): result[member.key] = value
      case (.object(let inner)?, .object(let value)): result[member.key] = .object(complete(inner, value, path))
      case (let present?, let value): if present.sorted != value.sorted { contradictions.append(path) }
      }
    }
    return result
  }
}
