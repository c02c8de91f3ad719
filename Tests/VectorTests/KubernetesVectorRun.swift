import CalicoModel
import Datastore
import JSON
import KubernetesDatastore
import Testing

/// Replays a scenario on a Kubernetes API and compares entry by entry, and object by object as they are stored.
struct KubernetesVectorRun {
  let recording: KubernetesRecording
  let cluster: KubernetesCluster
  private var replay: Replay
  private var normalization = Normalization()
  private var tally = Tally()

  init(_ version: Recording.Version, _ name: String, _ cluster: KubernetesCluster) throws {
    recording = try KubernetesRecording(version, name)
    self.cluster = cluster
    replay = Replay(
      store: ReplayStore(base: KubernetesDatastore(cluster.client)), starts: try RecordedStarts(recording.recording),
      folder: try ScratchFolder(), remembers: false)
    replay.cluster = cluster.client
  }

  private var description: String { "kubernetes \(recording.version.rawValue)/\(recording.name)" }

  consuming func run() async throws {
    try await cluster.reset()
    for step in recording.steps {
      try await run(step)
    }
    print("vectors \(description): \(tally)")
    KubernetesDeviations.expect(tally.deviating, recording)
  }

  private mutating func run(_ step: KubernetesStep) async throws {
    if let object = step.object { return try await cluster.apply(object) }
    let recorded = step.recorded
    let created = recorded.writes.compactMap { write in write.sequenceNumber.map { (write.path, $0) } }
    let number = created.first?.1 ?? 1_000_000 + Int64(recorded.index)
    replay.time = Timestamp(nanoseconds: number)
    normalization.allow(replay.time)
    normalization.forgetOffsets()
    try await cluster.load(step.before)
    // Every call of a program finds the cluster anew.
    replay.store = ReplayStore(base: KubernetesDatastore(cluster.client))
    let replayed: Replayed
    do {
      replayed = try await replay.perform(recorded)
    } catch let error as ResourceError where recorded.exitCode != 0 {
      #expect(!error.description.isEmpty)
      replayed = .done(.failed())
    }
    guard case .done(var result) = replayed else {
      if case .skipped(let reason) = replayed { tally.skipped[reason, default: 0] += 1 }
      return
    }
    let found = try await cluster.objects()
    result.output = try result.output.map { Self.withoutIdentifiers(try normalization.marked($0)) }
    for (path, recorded) in created { normalization.rebase(path, from: number, to: recorded) }
    var expectation = Expectation(recorded)
    let rules = try KubernetesDeviations.apply(to: &expectation, recorded, recording.version, result)
    tally.note(rules, recorded.index)
    let state = normalization.marked(try found.entries).mapValues { Self.withoutIdentifiers($0) }
    for difference in expectation.differences(from: result, state, recorded) {
      Issue.record("\(description), step \(recorded.index), \(recorded.operation): \(difference)")
    }
    try compare(found, step, expectation)
  }

  /// Compares objects as they are stored with the recorded ones, as far as their entries are as recorded.
  private func compare(_ found: RecordedObjects, _ step: KubernetesStep, _ expectation: Expectation) throws {
    for (key, object) in found {
      guard let entry = try object.entry else {
        Issue.record("\(description), step \(step.recorded.index): \(key) is half deleted")
        continue
      }
      guard let expected = step.after[key], expectation.state[entry.path] == step.recorded.after[entry.path] else {
        continue
      }
      let (is_, should) = (try comparable(object, at: entry.path), try comparable(expected, at: nil))
      if is_ != should {
        Issue.record(
          "\(description), step \(step.recorded.index), \(key)\n  is       \(is_)\n  expected \(should)")
      }
    }
  }

  /// An object without what the server fills in, with the recordings' marks.
  private func comparable(_ object: JSONObject, at path: String?) throws -> String {
    var object = object.storable
    var metadata = try object.object("metadata")
    if var annotations = metadata["annotations"]?.objectValue, let copy = annotations["projectcalico.org/metadata"] {
      // A time that is null says nothing (Calico IPAM specification, section 1.12).
      let text = try normalization.marked(copy).stringValue ?? ""
      annotations["projectcalico.org/metadata"] = .string(
        text.replacing(#"{"creationTimestamp":null,"#, with: "{").replacing(#"{"creationTimestamp":null}"#, with: "{}"))
      metadata["annotations"] = .object(annotations)
    }
    if let path, let specification = object["spec"] {
      let marked = normalization.marked([path: specification.text])[path] ?? ""
      object["spec"] = try JSON(parsing: Array(marked.utf8))
    }
    object["metadata"] = .object(metadata)
    return JSONObject.unescaped(
      String(decoding: JSON.object(object).encoded(JSONFormat(sortsKeys: true)), as: UTF8.self))
  }

  /// The server gives identifiers, whatever was asked for.
  private static func withoutIdentifiers(_ text: String) -> String {
    text.replacing(#/"uid":"[-0-9a-f]{36}"/#, with: #""uid":"<UID>""#)
  }

  private static func withoutIdentifiers(_ output: JSON) -> JSON {
    (try? JSON(parsing: Array(withoutIdentifiers(output.text).utf8))) ?? output
  }
}
