import CalicoModel
import Datastore
import JSON

/// A datastore against a document: what is missing, what is there as it should be, and what is in the way.
struct MigrationSurvey: Sendable {
  /// Resources that are not there yet.
  var missingResources: [Resource] = []
  /// Nodes of the document that Kubernetes has, and that lack something of it there.
  var incompleteNodes: [Resource] = []
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
  ///   - progress: is told how many entries were compared.
  /// - Throws: ``MigrationError``.
  init(
    _ store: any Datastore, _ document: MigrationDocument, isKubernetes: Bool,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws(MigrationError) {
    let reading = MigrationReading(store, progress: progress)
    var pools = 0
    for kind in MigrationDocument.kinds {
      var stored: [String: (resource: Resource, stored: Stored)] = [:]
      for found in try await reading.resources(kind) { stored[found.resource.name] = found }
      if kind == .ipPool { pools = stored.count }
      for wanted in document.resources where wanted.kind == kind {
        let found = stored.removeValue(forKey: wanted.name)
        if kind == .node, isKubernetes {
          try compareNode(wanted, found?.stored)
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

  private mutating func compareNode(_ wanted: Resource, _ stored: Stored?) throws(MigrationError) {
    guard let stored else {
      unknownNodes.append(wanted.name)
      return
    }
    guard let completion = try NodeCompletion(wanted, stored) else {
      present += 1
      return
    }
    if completion.contradictions.isEmpty {
      incompleteNodes.append(wanted)
    } else {
      differ(wanted, completion.contradictions)
    }
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
