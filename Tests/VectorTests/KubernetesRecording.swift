import Datastore
import FileSystem
import JSON
import Testing

@testable import KubernetesDatastore

/// A scenario that was recorded from Calico's programs on a Kubernetes API; `calico-kdd/README.md` beside the other
/// recordings describes the files.
struct KubernetesRecording: Sendable {
  var version: Recording.Version
  var name: String
  var steps: [KubernetesStep]

  /// Reads a recording.
  init(_ version: Recording.Version, _ name: String) throws {
    let bytes = try File.contents(at: Self.folder + "/\(version.rawValue)/\(name).json")
    let document = try #require(try JSON(parsing: bytes).objectValue)
    self.version = version
    self.name = name
    steps = []
    var objects: RecordedObjects = [:]
    for (index, step) in try #require(document["steps"]?.arrayValue).enumerated() {
      let step = try KubernetesStep(index, try #require(step.objectValue), before: objects)
      objects = step.after
      steps.append(step)
    }
    guard version != .master else { return }
    for (index, step) in try KubernetesRecording(.master, name).steps.enumerated() {
      steps[index].recorded.newestOutput = step.recorded.output
    }
  }

  /// The same as a recording of etcd, for what asks for one.
  var recording: Recording {
    Recording(version: version, name: name, title: name, steps: steps.map(\.recorded))
  }

  /// Beside those of etcd in the project, or beside the project.
  private static let folder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let inside = parts.joined(separator: "/") + "/integration/vectors/calico-kdd"
    let outside = parts.dropLast().joined(separator: "/") + "/shared/vectors/calico-kdd"
    return (try? File.status(of: inside)) != nil ? inside : outside
  }()

  static var isAtHand: Bool { (try? File.status(of: folder + "/README.md")) != nil }

  static func names(_ version: Recording.Version) -> [String] {
    let all = Recording.names + ["24-namespace-selector"]
    return all.filter { name in (try? File.status(of: folder + "/\(version.rawValue)/\(name).json")) != nil }
  }
}

/// Objects by `resource/name`.
typealias RecordedObjects = [String: JSONObject]

/// One call of a program, or one change of Kubernetes' own objects.
struct KubernetesStep: Sendable {
  /// The step in the form of etcd.
  var recorded: RecordedStep
  /// The node or namespace that is created or changed; nil for a call.
  var object: JSONObject?
  var before: RecordedObjects
  var after: RecordedObjects

  init(_ index: Int, _ step: JSONObject, before: RecordedObjects) throws {
    self.before = before
    object = try step.object("inputs")["object"]?.objectValue
    after = before
    if let objects = step["objects"]?.objectValue {
      after = [:]
      for member in objects.members { after[member.key] = member.value.objectValue }
    }
    recorded = try RecordedStep(index, step, before: try before.entries, after: try after.entries)
  }
}

extension RecordedStep {
  init(_ index: Int, _ step: JSONObject, before: RecordedState, after: RecordedState) throws {
    self.index = index
    operation = try step.text("operation")
    inputs = try step.object("inputs")
    exitCode = Int(step["exit_code"]?.numberValue?.int64 ?? 0)
    output = step["stdout"] ?? ""
    diagnostics = step["stderr"]?.stringValue ?? ""
    writes = []
    self.before = before
    self.after = after
    for write in step["writes"]?.arrayValue ?? [] {
      let write = try #require(write.objectValue)
      guard let object = write["value"]?.objectValue, let entry = try object.entry else { continue }
      let number = object["spec"]?.objectValue?["sequenceNumber"]?.numberValue?.int64
      let kind = try #require(RecordedWrite.Kind(rawValue: try write.text("type")))
      writes.append(RecordedWrite(kind, entry.path, number: kind == .create ? number : nil))
    }
  }
}

extension RecordedWrite {
  init(_ kind: Kind, _ path: String, number: Int64?) {
    self.kind = kind
    self.path = path
    sequenceNumber = number
  }
}

extension Recording {
  init(version: Version, name: String, title: String, steps: [RecordedStep]) {
    self.version = version
    self.name = name
    self.title = title
    self.steps = steps
  }
}
