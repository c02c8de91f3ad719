import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import KubernetesClient
import Testing

/// What a call came to.
struct StepResult: Hashable {
  var exitCode = 0
  /// What the program prints, where the replay makes it.
  var output: JSON?
  /// What it says to people; nil where that is not compared.
  var diagnostics: String?

  static func failed(_ output: JSON? = nil) -> StepResult { StepResult(exitCode: 1, output: output) }
}

/// Whether a step could be replayed.
enum Replayed {
  case done(StepResult)
  case skipped(String)
}

/// Carries out recorded calls on a store.
struct Replay: Sendable {
  var store: ReplayStore
  let starts: RecordedStarts
  let folder: ScratchFolder
  /// Whether the calls remember things for each other, as on a host.
  let remembers: Bool
  /// The cluster that the store is in; nil for none.
  var cluster: (any KubernetesTransport)?
  /// When the step happens.
  var time = Timestamp(seconds: 0)

  var runner: OperationRunner<ReplayStore> { OperationRunner(store, monotonic: { 0 }) }

  func perform(_ step: RecordedStep) async throws -> Replayed {
    let words = step.operation.split(separator: " ").map(String.init)
    switch words[0] {
    case "calico-ipam": return .done(try await performPlugin(step))
    case "calicoctl": return try await performTool(step, words)
    case "libcalico-go": return .done(try await performLibrary(words[1], step.inputs))
    default: return .skipped("no such program")
    }
  }

  /// Runs an operation of the engine.
  func run<Op: CalicoEngine.Operation>(_ operation: Op) async throws -> Op.Result {
    try await runner.run(operation, deadline: .distantFuture)
  }
}
