import JSON

/// What a replayed step has to come to.
struct Expectation: Equatable {
  var state: RecordedState
  var exitCode: Int
  /// Not compared where the replay does not print anything.
  var output: JSON
  var diagnostics: String

  /// What is recorded.
  init(_ step: RecordedStep) {
    state = step.after
    exitCode = step.exitCode
    output = Self.comparable(step.output, step)
    diagnostics = step.diagnostics
  }

  /// An output as it is compared. The program that recorded calls of the library named Go's types of errors, which mean
  /// nothing elsewhere, and sorted what it printed; the other programs' order counts.
  static func comparable(_ output: JSON, _ step: RecordedStep) -> JSON {
    guard step.operation.hasPrefix("libcalico-go"), var object = output.objectValue else { return output }
    object["error_type"] = nil
    let sorted = JSON.object(object).encoded(JSONFormat(sortsKeys: true))
    return (try? JSON(parsing: sorted)) ?? output
  }

  /// How a result differs; empty when it does not.
  func differences(from result: StepResult, _ state: RecordedState, _ step: RecordedStep) -> [String] {
    var differences: [String] = []
    if exitCode != result.exitCode { differences.append("exit code \(result.exitCode), expected \(exitCode)") }
    if let output = result.output, Self.comparable(output, step) != self.output {
      differences.append("output\n  is       \(Self.comparable(output, step).text)\n  expected \(self.output.text)")
    }
    if let said = result.diagnostics, said != diagnostics {
      differences.append("stderr\n  is       \(said)\n  expected \(diagnostics)")
    }
    for path in Set(self.state.keys).union(state.keys).sorted() where self.state[path] != state[path] {
      differences.append(
        "\(path)\n  is       \(state[path] ?? "absent")\n  expected \(self.state[path] ?? "absent")")
    }
    return differences
  }
}

extension JSON {
  var text: String { String(decoding: encoded(), as: UTF8.self) }
}
