public import CalicoBackend
import CalicoModel
public import Datastore
import JSON

/// Writes a document into a datastore that has nothing else in it.
///
/// Whatever ends it, the same import goes on from there: what is there and says the same is left as it is, what says
/// something else keeps anything from being written.
public struct MigrationImport: Sendable {
  /// What is told while it goes on.
  public enum Event: Hashable, Sendable {
    /// A line for people.
    case progress(String)
    /// Something that is not moved, which is no failure.
    case warning(String)
    /// How far it is, at every batch of entries.
    case advance(MigrationProgress)
  }

  /// What an import came to.
  public struct Report: Hashable, Sendable {
    /// How many resources and entries of address management were written.
    public var resources = 0
    public var entries = 0
    /// How many of both were there already.
    public var present = 0
    /// What is in the datastore now, which is what the document says.
    public var summary = MigrationSummary()
  }

  private let document: MigrationDocument
  private let store: any Datastore
  private let isKubernetes: Bool
  private let lock: MigrationLock
  private let surroundings: ResourceSurroundings
  private let tell: @Sendable (Event) -> Void

  /// An import.
  ///
  /// - Parameters:
  ///   - document: what to write.
  ///   - store: where to.
  ///   - isKubernetes: whether that is Kubernetes, whose nodes are there before, and whose names are narrower.
  ///   - surroundings: time and chance, for what is created.
  ///   - tell: takes what is said meanwhile.
  public init(
    _ document: MigrationDocument, into store: any Datastore, isKubernetes: Bool, surroundings: ResourceSurroundings,
    tell: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.document = document
    self.store = store
    self.isKubernetes = isKubernetes
    self.surroundings = surroundings
    lock = MigrationLock(store, surroundings: surroundings)
    self.tell = tell
  }

  /// Checks, locks, writes, and compares.
  ///
  /// The datastore stays locked, for whoever changes over has to do more.
  ///
  /// - Returns: what was done.
  /// - Throws: ``MigrationError``.
  public func run() async throws(MigrationError) -> Report {
    let wanted = try checkDocument()
    var survey = try await self.survey()
    try refuseOthers(survey)
    try await lock.initialize()
    if try await !lock.isHeld() { try await lock.lock() }
    // What was written before the lock held is seen by now.
    survey = try await self.survey()
    try refuseOthers(survey)
    var report = Report(present: survey.present)
    report.resources = try await writeResources(survey)
    try await writeClusterInformation()
    tell(.progress("Importing IPAM resources"))
    report.entries = try await writeEntries(survey.missingEntries)
    report.summary = try await verify(wanted)
    return report
  }

  // MARK: Checks

  private func survey() async throws(MigrationError) -> MigrationSurvey {
    let (tell, total) = (tell, document.entries.count)
    return try await MigrationSurvey(store, document, isKubernetes: isKubernetes) {
      tell(.advance(MigrationProgress(.comparing, $0, of: total)))
    }
  }

  private func checkDocument() throws(MigrationError) -> MigrationSummary {
    let summary = try document.summary()
    if let recorded = document.recordedSummary, recorded != summary {
      throw MigrationError(
        .malformed,
        "the file is not as it was written: it says that it has \(recorded), and has \(summary); export again")
    }
    if document.entries.isEmpty, document.resources.isEmpty {
      throw MigrationError(.malformed, "no IPAM resources specified in file")
    }
    for (kind, count) in document.otherKinds.sorted(by: { $0.key < $1.key }) {
      tell(
        .warning(
          "\(count) \(kind) in the file \(count == 1 ? "is" : "are") none of address management and not imported; "
            + "calicoctl imports it"))
    }
    if isKubernetes { try KubernetesNames.check(document.entries) }
    return summary
  }

  private func refuseOthers(_ survey: MigrationSurvey) throws(MigrationError) {
    let found =
      survey.foreignResource.map { "Calico \($0) resource" } ?? survey.foreignEntry.map { _ in "IPAM resources" }
    if let found {
      let object = survey.foreignResource == nil ? survey.foreignEntry.map { " (\($0))" } ?? "" : ""
      throw MigrationError(
        .occupied,
        "datastore already has Calico resources: found existing \(found)\(object). Clear out all Calico resources"
          + (isKubernetes ? " by deleting all Calico CRDs" : ", or name another datastore"))
    }
    guard !survey.differing.isEmpty else { return }
    let names = survey.differing.prefix(5).joined(separator: ", ")
    let more = survey.differing.count > 5 ? " and \(survey.differing.count - 5) more" : ""
    throw MigrationError(
      .occupied,
      "datastore already has Calico resources that say something else than the file: \(names)\(more). Nothing was "
        + "written; clear them out, or import the file that they are from")
  }

  // MARK: Writing

  private func writeResources(_ survey: MigrationSurvey) async throws(MigrationError) -> Int {
    for name in survey.unknownNodes {
      tell(
        .warning(
          "[WARNING] Attempted to import node \(name) that references a nonexistent Kubernetes node. Skipping that node. "
            + "Non-Kubernetes nodes are not supported in the Kubernetes datastore and will be skipped."))
    }
    let writer = MigrationWriter(store)
    var written = 0
    for resource in survey.missingResources {
      let text = created(resource).encoded()
      let change = Change(resource.key, base: .absent, final: .value(.resource(text)))
      try await writer.write([change]) { stored in
        let found = try? Resource(stored: stored.bytes, kind: resource.kind, name: resource.name)
        return found.map { JSON.object($0.specification).sorted == JSON.object(resource.specification).sorted } ?? false
      }
      written += 1
    }
    for node in survey.incompleteNodes {
      try await complete(node)
      written += 1
    }
    return written
  }

  /// How often a Node is written while others, such as its kubelet, write it as well.
  private static let attempts = 8

  /// Adds to a Node of Kubernetes what it lacks.
  private func complete(_ wanted: Resource) async throws(MigrationError) {
    for _ in 0..<Self.attempts {
      let found = try await MigrationReading(store).entry(wanted.key)
      guard let stored = found, let completion = try NodeCompletion(wanted, stored) else { return }
      guard completion.contradictions.isEmpty else {
        let members = completion.contradictions.joined(separator: ", ")
        throw MigrationError(.occupied, "somebody else has written \(wanted.key) (\(members)) meanwhile; import again")
      }
      let text = completion.node.encoded()
      let change = Change(wanted.key, base: .revision(stored.revision), final: .value(.resource(text)))
      do {
        let plan = Plan([change], durability: .disk)
        if case .applied = try await store.commit(plan, deadline: MigrationReading.deadline) { return }
      } catch {
        throw MigrationError(.datastore, MigrationReading.text(error))
      }
    }
    throw MigrationError(
      .datastore, "\(wanted.key) could not be written in \(Self.attempts) attempts; run the same import again")
  }

  /// A resource with the identifier and the time of creation that it does not bring along.
  private func created(_ resource: Resource) -> Resource {
    var result = resource
    if result.uid == nil { result.uid = surroundings.makeUUID() }
    if result.creationTimestamp == nil { result.creationTimestamp = surroundings.now().description }
    return result
  }

  /// The cluster stays the one that it was.
  private func writeClusterInformation() async throws(MigrationError) {
    let source = document.clusterInformation.specification
    do throws(MigrationError) {
      try await lock.update("importing") { specification in
        for key in ["clusterGUID", "calicoVersion"] {
          if let value = source[key], value != .null { specification[key] = value }
        }
      }
    } catch {
      throw MigrationError(error.code, "failed to update cluster information: \(error)")
    }
  }

  /// How many entries are written at once, and of how many bytes together.
  private static let batchCount = 40
  private static let batchSize = 256 << 10

  private func writeEntries(_ entries: [MigrationEntry]) async throws(MigrationError) -> Int {
    let writer = MigrationWriter(store)
    var (written, index) = (0, 0)
    while index < entries.count {
      var (changes, size): ([Change], Int) = ([], 0)
      var wanted: [Key: Value] = [:]
      while index < entries.count, changes.count < Self.batchCount, size < Self.batchSize {
        let entry = entries[index]
        let value = try entry.value()
        changes.append(Change(entry.key, base: .absent, final: .value(value)))
        wanted[entry.key] = value
        size += entry.text.count
        index += 1
      }
      do throws(MigrationError) {
        try await writer.write(changes) { key, stored in
          guard let value = wanted[key], let found = try? MigrationEntry(key, stored.bytes).value() else {
            return false
          }
          return value.means(found)
        }
      } catch {
        tell(.progress("Partial success: applied the first \(written) out of \(entries.count) resources:"))
        throw MigrationError(
          error.code, "hit error(s): [\(error)]; run the same import again, which goes on from there")
      }
      written += changes.count
      tell(.advance(MigrationProgress(.writing, written, of: entries.count)))
    }
    return written
  }

  // MARK: Comparing

  private func verify(_ wanted: MigrationSummary) async throws(MigrationError) -> MigrationSummary {
    let survey = try await self.survey()
    let missing = survey.missingResources.map { "\($0.key)" } + survey.missingEntries.map { "\($0.key)" }
    let problems = missing.prefix(5).map { "\($0) is missing" } + survey.differing.prefix(5).map { "\($0) differs" }
    guard problems.isEmpty, survey.foreignEntry == nil, survey.summary == wanted else {
      let list = problems.isEmpty ? "" : " (\(problems.joined(separator: "; ")))"
      throw MigrationError(
        .unverified,
        "the datastore is not what the file says: the file has \(wanted), the datastore \(survey.summary)\(list); "
          + "somebody else writes to it: stop that, and run the same import again")
    }
    return survey.summary
  }
}
