import FileSystem
import JSON
import Testing

/// A scenario that was recorded from Calico's programs; `integration/vectors/calico-etcd/README.md` describes the files.
struct Recording: Sendable {
  /// Whose programs ran.
  enum Version: String, CaseIterable, Sendable {
    case master
    case v3_32 = "v3.32.1"
  }

  var version: Version
  var name: String
  var title: String
  var steps: [RecordedStep]

  /// Reads a recording.
  init(_ version: Version, _ name: String) throws {
    let bytes = try File.contents(at: Self.folder + "/\(version.rawValue)/\(name).json")
    let document = try #require(try JSON(parsing: bytes).objectValue)
    self.version = version
    self.name = name
    title = try document.text("title")
    var state: RecordedState = [:]
    steps = []
    for (index, step) in try #require(document["steps"]?.arrayValue).enumerated() {
      let step = try RecordedStep(index, try #require(step.objectValue), before: state)
      state = step.after
      steps.append(step)
    }
    guard version != .master else { return }
    for (index, step) in try Recording(.master, name).steps.enumerated() { steps[index].newestOutput = step.output }
  }

  private static let folder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/integration/vectors/calico-etcd"
  }()

  static let names = [
    "01-first-pod", "02-second-pod-same-node", "03-second-node", "04-block-filled-then-new",
    "05-borrow-when-exhausted", "06-requested-ip", "07-dual-stack", "08-release", "09-strict-affinity",
    "10-affinity-release", "11-handle-characters", "12-ipv6-pool", "13-pool-selection", "14-max-blocks-per-host",
    "15-reservations", "16-calicoctl-ipam", "17-empty-block-reclaim", "18-ip-cooldown", "19-other-orchestrator",
    "20-tunnel-and-loadbalancer", "21-node-and-pool-removal", "22-errors", "23-ensure-block",
  ]
}

/// The entries of a store: texts by path.
typealias RecordedState = [String: String]

/// One call of a program, and what it did.
struct RecordedStep: Sendable {
  var index: Int
  /// The program and its verb, such as `calico-ipam ADD`.
  var operation: String
  var inputs: JSONObject
  var exitCode: Int
  /// What was printed: a JSON value where the text was one, and otherwise the text.
  var output: JSON
  var diagnostics: String
  var writes: [RecordedWrite]
  /// What newest master printed in this step of the same scenario.
  var newestOutput: JSON = ""
  var before: RecordedState
  var after: RecordedState

  init(_ index: Int, _ step: JSONObject, before: RecordedState) throws {
    self.index = index
    operation = try step.text("operation")
    inputs = try step.object("inputs")
    exitCode = try step.integer("exit_code")
    output = step["stdout"] ?? ""
    diagnostics = step["stderr"]?.stringValue ?? ""
    writes = try #require(step["writes"]?.arrayValue).map { try RecordedWrite(try #require($0.objectValue)) }
    self.before = before
    after = before
    for write in writes {
      if write.kind == .delete {
        after[write.path] = nil
      } else if let text = write.text {
        after[write.path] = text
      }
    }
  }

  /// The words behind the program's name.
  var arguments: [String] { inputs["args"]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}

/// One change of an entry.
struct RecordedWrite: Sendable {
  enum Kind: String, Sendable {
    case create
    case update
    case delete
  }

  var kind: Kind
  var path: String
  /// The text that was written; nil when a later write of the step replaced it.
  var text: String?
  /// The sequence number with which a block was created.
  var sequenceNumber: Int64?

  init(_ write: JSONObject) throws {
    kind = try #require(Kind(rawValue: try write.text("type")))
    path = try write.text("key")
    text = write["value"]?.stringValue
    sequenceNumber = write["sequenceNumber"]?.numberValue?.int64
  }
}

extension JSONObject {
  func text(_ key: String) throws -> String { try #require(self[key]?.stringValue, "\(key) is missing") }

  func integer(_ key: String) throws -> Int {
    Int(try #require(self[key]?.numberValue?.int64, "\(key) is missing"))
  }

  func object(_ key: String) throws -> JSONObject { try #require(self[key]?.objectValue, "\(key) is missing") }

  func texts(_ key: String) -> [String] { (self[key]?.arrayValue ?? []).compactMap(\.stringValue) }
}
