import JSON
import Testing

/// What differs from a recording on purpose: how the expectation changes, and where it does.
struct Deviation: Sendable {
  /// Scenario numbers with the indices of their steps.
  typealias Places = [String: [Int]]

  var name: String
  /// Why, and where that is decided.
  var reason: String
  /// In which steps; in these it must, and in no others.
  var places: [Recording.Version: Places]
  /// In which steps of a chain, where a difference goes on to be one. Without these it is as in ``places``, and the chain
  /// continues with what is recorded.
  var chainPlaces: Places?
  /// Changes what is expected of a step, given what came of it; one that is about other steps changes nothing.
  var apply: @Sendable (inout Expectation, RecordedStep, StepResult) throws -> Void

  /// Where the deviation must be met.
  func places(_ version: Recording.Version, isChain: Bool) -> Places {
    isChain ? chainPlaces ?? places[version] ?? [:] : places[version] ?? [:]
  }
}

/// All deviations. The steps of v3.32.1 begin with what that release left, and what newest master makes of it is
/// expected; "specification" is Calico IPAM's.
enum Deviations {
  static let all: [Deviation] = [
    Deviation(
      name: "details",
      reason: "errors have upstream's message, and besides it `details` that say what to do (design, Errors)",
      places: [.master: errorsWithDetails, .v3_32: errorsWithDetails.merging(["18": [13]]) { $1 }]
    ) { expectation, step, result in
      guard step.operation.hasPrefix("calico-ipam"), var output = expectation.output.objectValue,
        output["code"] != nil, output["details"] == nil, let details = result.output?.objectValue?["details"]
      else { return }
      #expect(details.stringValue?.isEmpty == false)
      output["details"] = details
      expectation.output = .object(output)
    },
    Deviation(
      name: "obtained",
      reason: "handles count the addresses that were obtained, not those that were requested (specification, 8.3 D1)",
      places: [.master: ["23": [5]], .v3_32: ["23": [5]]], chainPlaces: ["23": [5]]
    ) { expectation, step, _ in
      guard step.operation == "libcalico-go auto-assign" else { return }
      try expectation.countObtained(step)
    },
    Deviation(
      name: "obtained before",
      reason: "what a handle never counted is not there later either, nor left over at the end (8.3 D1 and D4)",
      places: [:], chainPlaces: ["23": Array(6...15)]
    ) { expectation, step, _ in
      guard step.operation != "libcalico-go auto-assign" || step.before.keys.contains(Constants.miscountedPath) else {
        return
      }
      try expectation.countHeld(Constants.miscountedPath)
    },
    Deviation(
      name: "all or nothing",
      reason: "when one family has no address, nothing of the other is left behind, neither address nor handle",
      places: [.master: ["07": [5]], .v3_32: ["07": [5]]]
    ) { expectation, step, _ in
      guard step.inputs["netconf"]?.objectValue?["ipam"]?.objectValue?["assign_ipv6"] == "true", step.exitCode != 0
      else { return }
      expectation.state = step.before
    },
    Deviation(
      name: "CNI 1.1.0",
      reason: "version 1.1.0 of the protocol is served, which the originals refuse",
      places: [.master: ["19": [6, 8]], .v3_32: ["19": [6, 8]]]
    ) { expectation, step, _ in
      switch step.operation {
      case "calico-ipam VERSION": expectation.output = Constants.versions
      case "calico-ipam ADD" where step.inputs["netconf"]?.objectValue?["cniVersion"] == "1.1.0":
        expectation.exitCode = 0
        expectation.output = Constants.newestResult
        expectation.state[Constants.newestBlockPath] = Constants.newestBlock
        expectation.state[Constants.newestHandlePath] = Constants.newestHandle
      default: return
      }
    },
    Deviation(
      name: "O1",
      reason: "reading the switches does not create them (specification, 1.13)",
      places: [.v3_32: firstReads]
    ) { expectation, step, _ in
      let path = "/calico/ipam/v2/config"
      guard step.operation != "calicoctl ipam configure", step.before[path] == nil,
        expectation.state[path] == Constants.defaultSwitches
      else { return }
      expectation.state[path] = nil
    },
    Deviation(
      name: "O2",
      reason: "a release by handle deletes the sequence entries of what it frees (specification, 1.13 and 2.7)",
      places: [.v3_32: releasesByHandle]
    ) { expectation, step, _ in try expectation.deleteEntriesOfFreed(step) },
    Deviation(
      name: "O7",
      reason: "an address that is asked for must be allowed for the use (specification, 1.13 and 3.9 step 2)",
      places: [.v3_32: ["13": [17], "20": [7]]]
    ) { expectation, step, _ in
      let isPlugin = step.operation == "calico-ipam ADD"
      let address = step.inputs["IP"]?.stringValue ?? (isPlugin ? Constants.addressAskedFor(step) : nil)
      guard let address, let refusal = Constants.refusals[address] else { return }
      expectation.state = step.before
      expectation.exitCode = 1
      expectation.output = isPlugin ? ["code": 999, "msg": .string(refusal)] : ["error": .string(refusal)]
    },
    Deviation(
      name: "O10",
      reason: "utilisation counts reservations and what is in use (specification, 1.13)",
      places: [.v3_32: ["15": [12], "18": [11]]]
    ) { expectation, step, _ in
      guard step.operation == "libcalico-go utilization" else { return }
      let blocks = expectation.state.keys.filter { $0.hasPrefix("/calico/ipam/v2/assignment/") }
      expectation.output = blocks.count == 1 ? Constants.cooledUtilization : Constants.reservedUtilization
    },
    Deviation(
      name: "tables",
      reason: "`ipam show` prints newest master's tables (specification, 1.13; calicoctl specification, 3.2)",
      places: [
        .v3_32: [
          "05": [10, 11], "09": [2], "12": [8], "14": [2], "15": [11], "16": [3], "18": [2, 10], "21": [7],
        ]
      ]
    ) { expectation, step, _ in
      guard step.operation == "calicoctl ipam show", expectation.output.stringValue?.hasPrefix("+") == true else {
        return
      }
      // That release did not take the cool-down time of scenario 18.
      if step.newestOutput == Constants.coolingTable {
        return expectation.output = Constants.cooledTable
      }
      expectation.output = step.newestOutput
      try expectation.changeTable { $0 == "1200" ? "0" : $0 }
    },
    Deviation(
      name: "persistence",
      reason: "what is configured is shown, and not where in the memory it lies (calicoctl specification, 3.2)",
      places: [.master: ["09": [2], "14": [2], "18": [2]], .v3_32: ["09": [2], "14": [2], "18": [2]]]
    ) { expectation, step, _ in
      guard step.arguments.contains("--show-configuration") else { return }
      try expectation.changeTable { $0.contains("<PTR>") ? "Enabled" : $0 }
    },
    Deviation(
      name: "saturation",
      reason: "counts of large pools end at the largest number, and are not negative (README of the recordings)",
      places: [.master: ["12": [8]], .v3_32: ["12": [8]]]
    ) { expectation, step, _ in
      guard step.operation == "calicoctl ipam show" else { return }
      try expectation.changeTable { $0 == "-9.2234e+18 (-100%)" ? "9.2234e+18 (100%)" : $0 }
    },
    Deviation(
      name: "O5",
      reason: "`ipam configure` knows the cool-down time (specification, 1.13)",
      places: [.v3_32: ["18": [1, 14]]]
    ) { expectation, step, _ in
      guard step.operation == "calicoctl ipam configure", let option = step.arguments.last,
        option.hasPrefix("--ip-cooldown-seconds=")
      else { return }
      expectation.exitCode = 0
      expectation.output = .string(
        "Successfully set IPCooldownSeconds to: \(option.dropFirst("--ip-cooldown-seconds=".count))\n")
      expectation.diagnostics = ""
      let isSet = option != "--ip-cooldown-seconds=0"
      expectation.state["/calico/ipam/v2/config"] = isSet ? Constants.cooldownSwitches : Constants.defaultSwitches
    },
    Deviation(
      name: "O6",
      reason: "the switches are read first, so that their failure is the one that is told (specification, 1.13)",
      places: [.v3_32: ["22": [14]]]
    ) { expectation, _, _ in
      let prefix = "failed to look up reserved IPs: "
      guard var output = expectation.output.objectValue, let message = output["msg"]?.stringValue,
        message.hasPrefix(prefix)
      else { return }
      output["msg"] = .string(String(message.dropFirst(prefix.count)))
      expectation.output = .object(output)
    },
    Deviation(
      name: "order of blocks",
      reason: "blocks are served in their order, where v3.32.1 served them in parallel (README of the recordings)",
      places: [.v3_32: ["23": [11]]]
    ) { expectation, step, _ in
      guard step.operation == "libcalico-go release-ips", var output = expectation.output.objectValue,
        let released = output["released"]?.arrayValue
      else { return }
      output["released"] = .array(
        released.sorted {
          ($0.objectValue?["Address"]?.stringValue ?? "") < ($1.objectValue?["Address"]?.stringValue ?? "")
        })
      expectation.output = .object(output)
    },
  ]

  /// Changes what is expected of a step.
  ///
  /// - Returns: the names of the deviations that changed anything.
  static func apply(
    to expectation: inout Expectation, _ step: RecordedStep, _ version: Recording.Version, isChain: Bool,
    _ result: StepResult
  ) throws -> [String] {
    var names: [String] = []
    for deviation in all where !deviation.places(version, isChain: isChain).isEmpty {
      let before = expectation
      try deviation.apply(&expectation, step, result)
      if expectation != before { names.append(deviation.name) }
    }
    return names
  }

  /// Whether a chain has to go on with what is recorded after these deviations.
  static func breakChain(_ names: [String]) -> Bool {
    all.contains { names.contains($0.name) && $0.chainPlaces == nil }
  }

  /// Checks that each deviation was met where it is listed, and nowhere else.
  static func expect(_ found: [String: [Int]], in vector: VectorCase, isChain: Bool) {
    for deviation in all {
      let listed = deviation.places(vector.version, isChain: isChain)[String(vector.name.prefix(2))] ?? []
      let met = found[deviation.name] ?? []
      #expect(met == listed, "\(vector.testDescription): deviation \(deviation.name), met in \(met), listed \(listed)")
    }
  }

  // MARK: - Places

  /// Errors that tell what to do.
  private static let errorsWithDetails: Deviation.Places = [
    "05": [9], "06": [3, 4, 6, 7], "07": [5], "09": [8, 9, 10, 12], "12": [7], "13": [6, 7, 8, 11, 14, 18],
    "14": [11, 14], "15": [9], "17": [20, 21, 22, 23], "18": [8, 13], "21": [11], "22": [1, 5],
  ]

  /// The first step of each scenario that reads the switches; in 09 and 14 that sets them as well, and in 18 it is
  /// `ipam show`.
  private static let firstReads: Deviation.Places = [
    "01": [1], "02": [1], "03": [1], "04": [1], "05": [1], "06": [1], "07": [1], "08": [1], "10": [1],
    "11": [1], "12": [1], "13": [2], "15": [2], "16": [1], "17": [1], "18": [2], "19": [1], "20": [1], "21": [1],
    "22": [4], "23": [3],
  ]

  private static let releasesByHandle: Deviation.Places = [
    "02": [6], "04": [11], "05": [12, 14, 15, 16], "06": [10, 11, 12, 13], "07": [3, 6],
    "08": [4, 14, 15, 16, 17, 18, 19, 20, 21, 22], "10": [11], "11": [8, 9], "12": [5, 6],
    "17": [2, 10, 11, 12, 13, 14, 15], "18": [7, 9, 16, 17, 18], "19": [12, 13], "20": [8, 9, 10], "21": [4],
    "23": [15],
  ]
}
