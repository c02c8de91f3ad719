import CalicoModel
import Datastore
import JSON

/// Gives nodes the names that Kubernetes knows them by (calicoctl specification, section 4.7).
///
/// Calico on etcd may have names of its own for nodes; each says in an orchestrator reference how Kubernetes calls it. In
/// Kubernetes there are no others, so that everything that names a node has to follow. Unlike the original's, the handles
/// of IPv6 tunnels follow as well.
struct NodeRenaming: Sendable {
  private static let tunnelHandles = [
    "ipip-tunnel-addr-", "vxlan-tunnel-addr-", "vxlan-v6-tunnel-addr-", "wireguard-tunnel-addr-",
    "wireguard-v6-tunnel-addr-",
  ]

  /// New names by old ones, those that stay left out.
  let names: [String: String]

  init(_ names: [String: String] = [:]) { self.names = names }

  /// Learns the names from nodes.
  ///
  /// Where no node has a reference there is no Kubernetes, and all names stay.
  ///
  /// - Throws: ``MigrationError`` when some have a reference and others do not, or two would have one name.
  init(nodes: [Resource]) throws(MigrationError) {
    let references = nodes.map { (name: $0.name, new: Self.kubernetesName($0)) }
    var names: [String: String] = [:]
    if references.contains(where: { $0.new != nil }) {
      var owners: [String: String] = [:]
      for (name, new) in references {
        guard let new else {
          throw MigrationError(
            .unsuitable,
            "node \(name) missing a 'k8s' orchestrator reference. Unable to export data unless every node has a 'k8s' "
              + "orchestrator reference")
        }
        if let other = owners.updateValue(name, forKey: new) {
          throw MigrationError(
            .unsuitable,
            "nodes \(other) and \(name) both have a 'k8s' orchestrator reference to \(new); correct or delete one of them"
          )
        }
        if new != name { names[name] = new }
      }
    }
    self.init(names)
  }

  private static func kubernetesName(_ node: Resource) -> String? {
    let references = node.specification["orchRefs"]?.arrayValue ?? []
    let reference = references.lazy.compactMap(\.objectValue).first { $0["orchestrator"]?.stringValue == "k8s" }
    return reference?["nodeName"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
  }

  // MARK: Renaming

  func renamed(_ node: Resource) -> Resource {
    guard let name = names[node.name] else { return node }
    var document = node.document
    var metadata = node.metadata
    metadata["name"] = .string(name)
    document["metadata"] = .object(metadata)
    return Resource(.node, name: name, document: document)
  }

  func renamed(handle: String) -> String {
    for prefix in Self.tunnelHandles where handle.hasPrefix(prefix) {
      if let name = names[String(handle.dropFirst(prefix.count))] { return prefix + name }
    }
    return handle
  }

  /// The entry with all nodes in it renamed; as it is when there are none to rename.
  func renamed(_ entry: MigrationEntry) throws(MigrationError) -> MigrationEntry {
    if names.isEmpty { return entry }
    switch entry.key {
    case .block: return MigrationEntry(entry.key, try block(entry))
    case .affinity(let owner, let cidr):
      guard owner.kind == .host, let name = names[owner.name] else { return entry }
      return MigrationEntry(.affinity(BlockOwner(.host, name), cidr), entry.text)
    case .handle(let handle): return MigrationEntry(.handle(renamed(handle: handle)), entry.text)
    case .configuration, .host, .resource: return entry
    }
  }

  private func block(_ entry: MigrationEntry) throws(MigrationError) -> [UInt8] {
    let document: JSON
    do throws(JSONError) { document = try JSON(parsing: entry.text) } catch {
      throw MigrationError(.unreadable, "\(entry.key) cannot be understood: \(error)")
    }
    guard case .object(var block) = document else { return entry.text }
    if let owner = block["affinity"]?.stringValue.flatMap({ BlockOwner($0) }), owner.kind == .host,
      let name = names[owner.name]
    {
      block["affinity"] = .string(BlockOwner(.host, name).description)
    }
    if let attributes = block["attributes"]?.arrayValue { block["attributes"] = .array(attributes.map(attribute)) }
    return JSON.object(block).encoded()
  }

  private func attribute(_ value: JSON) -> JSON {
    guard case .object(var attribute) = value else { return value }
    if let handle = attribute["handle_id"]?.stringValue { attribute["handle_id"] = .string(renamed(handle: handle)) }
    for key in ["secondary", "alternateOwnerAttrs"] {
      guard var owner = attribute[key]?.objectValue, let node = owner["node"]?.stringValue, let name = names[node]
      else {
        continue
      }
      owner["node"] = .string(name)
      attribute[key] = .object(owner)
    }
    return .object(attribute)
  }
}
