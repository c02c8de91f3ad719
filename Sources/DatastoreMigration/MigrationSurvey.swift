import CalicoModel
import Datastore
import JSON

/// A datastore against a document: what is missing, what is there as it should be, and what is in the way.
struct MigrationSurvey: Sendable {
  /// Resources that are not there yet.
  var missingResources: [Resource] = []
  /// Nodes that Kubernetes has and that lack something of the document's, as they are to be.
  var incompleteNodes: [(node: Resource, revision: Revision)] = []
  /// Nodes that Kubernetes does not have, and that nobody but Kubernetes can make.
  var unknownNodes: [String] = []
  /// Entries that are not there yet, in the order of the document.
  var missingEntries: [MigrationEntry] = []
  /// How many resources and entries are there already.
  var present = 0
  /// What is there and says something else than the document, with what it is.
  var differing: [String] = []
  /// The first resource, and the first entry of address management, that is none of the document's.
  var foreignResource: String?
  var foreignEntry: Key?
  /// What is in the datastore.
  var summary = MigrationSummary()

  /// Looks at everything.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - document: what is to be in it.
  ///   - isKubernetes: whether nodes are Kubernetes's, which has them already.
  /// - Throws: ``MigrationError``.
  init(_ store: any Datastore, _ document: MigrationDocument, isKubernetes: Bool) async throws(MigrationError) {
    let reading = MigrationReading(store)
    var pools = 0
    for kind in MigrationDocument.kinds {
      var stored: [String: (resource: Resource, stored: Stored)] = [:]
      for found in try await reading.resources(kind) { stored[found.resource.name] = found }
      if kind == .ipPool { pools = stored.count }
      for wanted in document.resources where wanted.kind == kind {
        let found = stored.removeValue(forKey: wanted.name)
        if kind == .node, isKubernetes {
          compareNode(wanted, found)
        } else {
          compare(wanted, found?.resource)
        }
      }
      // Nodes that join and the tiers of every cluster are nobody's data.
      if foreignResource == nil, kind != .node, kind != .tier, !stored.isEmpty { foreignResource = kind.rawValue }
    }
    try await compareEntries(document, reading, pools: pools)
  }

  // MARK: Resources

  private mutating func compare(_ wanted: Resource, _ found: Resource?) {
    guard let found else {
      missingResources.append(wanted)
      return
    }
    let members = wanted.differences(from: found)
    if members.isEmpty { present += 1 } else { differ(wanted, members) }
  }

  /// What Calico keeps in a Node of Kubernetes is added to it; the rest is Kubernetes's own.
  private mutating func compareNode(_ wanted: Resource, _ found: (resource: Resource, stored: Stored)?) {
    guard let (node, stored) = found else {
      unknownNodes.append(wanted.name)
      return
    }
    var (completed, members) = (node, [String]())
    completed.specification = Self.completed(
      node.specification, wanted.specification, leavingOut: ["addresses", "orchRefs", "interfaces", "podCIDRs"],
      "spec", &members)
    let status = Self.completed(
      node.status ?? [:], wanted.status ?? [:], leavingOut: ["podCIDRs"], "status", &members)
    if !status.members.isEmpty { completed.status = status }
    if !members.isEmpty {
      differ(wanted, members)
    } else if completed.encoded() == node.encoded() {
      present += 1
    } else {
      incompleteNodes.append((completed, stored.revision))
    }
  }

  /// An object with the members of another that it lacks; where both have one that is not the same, its name.
  private static func completed(
    _ object: JSONObject, _ wanted: JSONObject, leavingOut: Set<String> = [], _ place: String,
    _ contradictions: inout [String]
  ) -> JSONObject {
    var result = object
    for member in wanted.members where !leavingOut.contains(member.key) {
      let path = "\(place).\(member.key)"
      switch (object[member.key], member.value) {
      case (nil, let value), (.null?, let value): if value != .null { result[member.key] = value }
      case (.object(let inner)?, .object(let value)):
        result[member.key] = .object(completed(inner, value, path, &contradictions))
      case (let present?, let value): if present.sorted != value.sorted { contradictions.append(path) }
      }
    }
    return result
  }

  private mutating func differ(_ wanted: Resource, _ members: [String]) {
    differing.append("\(wanted.key) (\(members.joined(separator: ", ")))")
  }

  // MARK: Entries

  private mutating func compareEntries(
    _ document: MigrationDocument, _ reading: MigrationReading, pools: Int
  ) async throws(MigrationError) {
    var wanted: [Key: Int] = [:]
    for (index, entry) in document.entries.enumerated() { wanted[entry.key] = index }
    var isPresent = [Bool](repeating: false, count: document.entries.count)
    var (equal, different, foreign) = (0, [String](), Key?.none)
    var found: [MigrationEntry] = []
    try await reading.forEachEntry { key, stored throws(MigrationError) in
      let entry = MigrationEntry(key, stored.bytes)
      let value = try entry.value()
      if value.isBeingDeleted { return }
      found.append(entry)
      guard let index = wanted[key] else {
        foreign = foreign ?? key
        return
      }
      isPresent[index] = true
      if try document.entries[index].value().means(value) { equal += 1 } else { different.append("\(key)") }
    }
    present += equal
    differing += different
    foreignEntry = foreign
    missingEntries = document.entries.indices.filter { !isPresent[$0] }.map { document.entries[$0] }
    summary = try MigrationSummary(pools: pools, found)
  }
}

extension Resource {
  /// The members in which a stored resource says something else than this one.
  fileprivate func differences(from stored: Resource) -> [String] {
    var members: [String] = []
    let (left, right) = (withReadDefaults, stored.withReadDefaults)
    if Self.sorted(left, "spec") != Self.sorted(right, "spec") { members.append("spec") }
    if JSON.object(left.strings("labels")).sorted != JSON.object(right.strings("labels")).sorted {
      members.append("metadata.labels")
    }
    return members
  }

  private static func sorted(_ resource: Resource, _ member: String) -> JSON {
    (resource.arrangedDocument[member] ?? [:]).sorted
  }

  private func strings(_ key: String) -> JSONObject { metadata[key]?.objectValue ?? [:] }
}

extension JSON {
  /// The value with the members of all objects in the order of their keys, so that equal ones are equal.
  var sorted: JSON {
    switch self {
    case .object(let object):
      .object(
        JSONObject(
          object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { JSONObject.Member(key: $0.key, value: $0.value.sorted) }))
    case .array(let elements): .array(elements.map(\.sorted))
    default: self
    }
  }
}
