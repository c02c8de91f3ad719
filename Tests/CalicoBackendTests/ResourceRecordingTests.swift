import CalicoBackend
import CalicoModel
import JSON
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes that Calico's own programs made, from the recorded scenarios: the documents, and the texts in etcd.
struct RecordedScenario: Sendable, CustomTestStringConvertible {
  enum Operation: Sendable {
    case apply([Resource])
    case delete(ResourceKind, [String])
    case setReady(Bool)
  }

  struct Step: Sendable {
    var operation: Operation
    var writes: [EventLog.Write]
  }

  var name: String
  var steps: [Step]
  var testDescription: String { name }

  init(_ document: JSON) throws {
    name = try #require(document.objectValue?["scenario"]?.stringValue)
    let steps = try #require(document.objectValue?["steps"]?.arrayValue)
    self.steps = try steps.map { step in
      let step = try #require(step.objectValue)
      let writes = try #require(step["writes"]?.arrayValue).map { write in
        let pair = try #require(write.arrayValue)
        return EventLog.Write(path: try #require(pair[0].stringValue), text: pair[1].stringValue)
      }
      return Step(operation: try Self.operation(step), writes: writes)
    }
  }

  private static func operation(_ step: JSONObject) throws -> Operation {
    if let document = step["apply"] { return .apply(try Resource.resources(inManifest: document)) }
    if let isReady = step["datastoreReady"]?.boolValue { return .setReady(isReady) }
    let arguments = try #require(step["delete"]?.arrayValue).compactMap(\.stringValue)
    return .delete(try ResourceKind(argument: arguments[0]), Array(arguments.dropFirst()))
  }

  static func all() throws -> [RecordedScenario] {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let text = try contents(folder + "/Fixtures/recorded-writes.json")
    return try #require(try JSON(parsing: text).arrayValue).map { try RecordedScenario($0) }
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }
}

@Suite("What the originals stored is what is stored")
struct ResourceRecordingTests {
  @Test("recorded writes, byte for byte but for identifiers and times", arguments: [true, false])
  func replay(commitsAtomically: Bool) async throws {
    let scenarios = try RecordedScenario.all()
    #expect(scenarios.count == 14)
    for scenario in scenarios {
      let store = ResourceStore(commitsAtomically: commitsAtomically)
      for step in scenario.steps {
        try await Self.perform(step.operation, on: store)
        #expect(store.takeWrites().map(Self.normalized) == step.writes, "\(scenario.name)")
      }
    }
  }

  private static func perform(_ operation: RecordedScenario.Operation, on store: ResourceStore) async throws {
    switch operation {
    case .apply(let resources):
      for resource in resources { _ = try await store.client.apply(resource) }
    case .delete(let kind, let names):
      for name in names { try await store.client.delete(kind, name) }
    case .setReady(let isReady):
      var information = try await store.client.get(.clusterInformation, "default")
      information.specification["datastoreReady"] = .bool(isReady)
      _ = try await store.client.update(information)
    }
  }

  /// Identifiers, times and the cluster's identifier as the recording has them.
  private static func normalized(_ write: EventLog.Write) -> EventLog.Write {
    guard let text = write.text, var document = try? JSON(parsing: Array(text.utf8)).objectValue else { return write }
    func replace(_ object: String, _ key: String, _ mark: String) {
      guard var members = document[object]?.objectValue, members[key] != nil else { return }
      members[key] = .string(mark)
      document[object] = .object(members)
    }
    replace("metadata", "uid", "<UID>")
    replace("metadata", "creationTimestamp", "<TIME>")
    replace("spec", "clusterGUID", "<GUID>")
    let bytes = JSON.object(document).encoded()
    // The recording marks with brackets that JSON escapes.
    let plain = String(decoding: bytes, as: UTF8.self).split(separator: #"\u003c"#, omittingEmptySubsequences: false)
      .joined(separator: "<").split(separator: #"\u003e"#, omittingEmptySubsequences: false).joined(separator: ">")
    return EventLog.Write(path: write.path, text: plain)
  }
}
