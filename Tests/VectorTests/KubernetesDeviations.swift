import JSON
import Testing

/// What differs on purpose from the recordings on Kubernetes: what differs from those on etcd, and what is of Kubernetes
/// only.
enum KubernetesDeviations {
  static let own: [Deviation] = [
    Deviation(
      name: "names of handles",
      reason: "a handle whose name the API server takes never is refused at once, and not after 90 seconds of attempts",
      places: [.master: ["11": [3, 4]]]
    ) { expectation, _, result in
      guard var output = expectation.output.objectValue,
        output["msg"]?.stringValue?.hasPrefix("client rate limiter Wait") == true,
        let message = result.output?.objectValue?["msg"]?.stringValue
      else { return }
      #expect(message.contains("cannot be kept in Kubernetes"))
      output["msg"] = .string(message)
      expectation.output = .object(output)
    },
    Deviation(
      name: "absence",
      reason: "what is missing is told in one way for all datastores, without the API server's words",
      places: [.master: ["13": [19], "18": [13], "20": [13]]]
    ) { expectation, _, _ in
      guard var output = expectation.output.objectValue else { return }
      for key in ["msg", "error"] {
        guard let message = output[key]?.stringValue else { continue }
        output[key] = .string(
          message.replacing(#/with error: .* not found$/#, with: "with error: <nil>")
            .replacing("IPAMHandle(", with: "IPAMHandleKey(id="))
      }
      expectation.output = .object(output)
    },
    Deviation(
      name: "order of paths",
      reason: "blocks are in the order of their paths in etcd, where the original has that of the objects' names",
      places: [.master: ["12": [10], "23": [14]], .v3_32: ["12": [10]]]
    ) { expectation, step, _ in
      if step.operation == "libcalico-go release-ips", var output = expectation.output.objectValue {
        output["released"] = output["released"]?.arrayValue.map { released in
          .array(
            released.sorted {
              ($0.objectValue?["Address"]?.stringValue ?? "") < ($1.objectValue?["Address"]?.stringValue ?? "")
            })
        }
        expectation.output = .object(output)
      }
      if step.operation == "calicoctl ipam show", let table = expectation.output.stringValue {
        expectation.output = .string(sortingBlocks(table))
      }
    },
  ]

  /// Sorts the rows of blocks that follow each other.
  private static func sortingBlocks(_ table: String) -> String {
    var lines: [String] = []
    var blocks: [String] = []
    for line in table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("| Block") {
        blocks.append(line)
      } else {
        lines += blocks.sorted() + [line]
        blocks = []
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Changes what is expected of a step.
  ///
  /// - Returns: the names of the deviations that changed anything.
  static func apply(
    to expectation: inout Expectation, _ step: RecordedStep, _ version: Recording.Version, _ result: StepResult
  ) throws -> [String] {
    var names: [String] = []
    for deviation in Deviations.all where !deviation.places(version, isChain: false).isEmpty {
      let before = expectation
      try deviation.apply(&expectation, step, result)
      if expectation != before { names.append(deviation.name) }
    }
    for deviation in own where deviation.places[version] != nil {
      let before = expectation
      try deviation.apply(&expectation, step, result)
      if expectation != before { names.append(deviation.name) }
    }
    return names
  }

  /// Checks that each deviation was met where it is listed, and nowhere else.
  static func expect(_ found: [String: [Int]], _ recording: KubernetesRecording) {
    for deviation in own {
      let listed = deviation.places[recording.version]?[String(recording.name.prefix(2))] ?? []
      let met = found[deviation.name] ?? []
      #expect(met == listed, "\(recording.name): deviation \(deviation.name), met in \(met), listed \(listed)")
    }
  }
}
