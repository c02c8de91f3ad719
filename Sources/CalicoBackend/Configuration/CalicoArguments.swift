public import CNI
public import IPAddressing

/// What `CNI_ARGS` says of the workload (front-end specification, section 1.4).
///
/// Upstream reads the text up to three times, each time with other keys known, so a key may be fine for DEL and unknown
/// for ADD.
public struct CalicoArguments: Hashable, Sendable {
  /// The address that is asked for.
  public var address: IPAddress?
  public var podName = ""
  public var podNamespace = ""
  /// The namespace of a workload outside Kubernetes.
  public var testNamespace = "default"

  /// Whether the workload is a pod of Kubernetes.
  public var isKubernetes: Bool { !podName.isEmpty && !podNamespace.isEmpty }

  /// Reads the pairs.
  ///
  /// - Parameters:
  ///   - arguments: the pairs.
  ///   - isAdd: whether the verb is ADD, which knows fewer keys.
  /// - Throws: ``CalicoFailure`` for the first malformed pair, or for unknown ones that are not to be ignored.
  public init(_ arguments: CNIArguments, isAdd: Bool) throws(CalicoFailure) {
    try read(
      arguments, known: ["IP", "K8S_POD_NAME", "K8S_POD_NAMESPACE", "K8S_POD_INFRA_CONTAINER_ID", "IgnoreUnknown"])
    if !isKubernetes {
      var test = self
      // A text that cannot be read for this leaves the default.
      if (try? test.read(arguments, known: ["CNI_TEST_NAMESPACE", "IgnoreUnknown"])) != nil {
        testNamespace = test.testNamespace
      }
    }
    if isAdd { try read(arguments, known: ["IP", "IgnoreUnknown"]) }
  }

  private mutating func read(_ arguments: CNIArguments, known: [StaticString]) throws(CalicoFailure) {
    var unknown: [String] = []
    var ignoresUnknown = false
    for piece in arguments.pieces {
      guard case .pair(let pair) = piece else {
        if case .invalid(let quoted) = piece { throw CalicoFailure("ARGS: invalid pair \(quoted)") }
        continue
      }
      guard known.contains(where: pair.hasKey) else {
        unknown.append(pair.quoted)
        continue
      }
      let value = String(decoding: pair.value, as: UTF8.self)
      if pair.hasKey("IgnoreUnknown") {
        ignoresUnknown = try Self.boolean(value, pair) || ignoresUnknown
      } else if pair.hasKey("IP") {
        try readAddress(value, pair)
      } else if pair.hasKey("K8S_POD_NAME") {
        podName = value
      } else if pair.hasKey("K8S_POD_NAMESPACE") {
        podNamespace = value
      } else if pair.hasKey("CNI_TEST_NAMESPACE"), !value.isEmpty {
        testNamespace = value
      }
    }
    guard unknown.isEmpty || ignoresUnknown else {
      throw CalicoFailure("ARGS: unknown args [\(unknown.joined(separator: " "))]")
    }
  }

  private mutating func readAddress(_ value: String, _ pair: CNIArguments.Pair) throws(CalicoFailure) {
    guard !value.isEmpty else {
      address = nil
      return
    }
    guard let parsed = IPAddress(value) else {
      throw CalicoFailure("ARGS: error parsing value of pair \(pair.quoted): invalid IP address: \(value)")
    }
    address = parsed
  }

  private static func boolean(_ text: String, _ pair: CNIArguments.Pair) throws(CalicoFailure) -> Bool {
    let lowered = text.lowercased()
    switch lowered {
    case "1", "true": return true
    case "0", "false": return false
    default:
      throw CalicoFailure(
        "ARGS: error parsing value of pair \(pair.quoted): boolean unmarshal error: invalid input \(lowered)")
    }
  }
}
