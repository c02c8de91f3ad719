import CNI
public import CalicoBackend
import CalicoEngine
public import CalicoModel
public import Datastore
import IPAM
import IPAddressing

/// Finds out what an ADD would get by carrying it out: the plugin's own code and the engine's, on a datastore whose
/// commits go nowhere.
///
/// Hints, with which a host spares itself searches for some seconds, are not taken into account, and neither are
/// reservations that host-local has on the node.
public struct Rehearsal<Store: Datastore>: Sendable {
  private let store: Store
  private let workloads: (any WorkloadDirectory)?
  private let now: @Sendable () -> Timestamp

  /// A rehearsal.
  ///
  /// - Parameters:
  ///   - store: the datastore, which is only read.
  ///   - workloads: who knows pods and namespaces; nil when nobody does.
  ///   - now: the time of day.
  public init(_ store: Store, workloads: (any WorkloadDirectory)?, now: @escaping @Sendable () -> Timestamp) {
    self.store = store
    self.workloads = workloads
    self.now = now
  }

  /// Puts a question.
  ///
  /// - Parameters:
  ///   - question: what is to be found out.
  ///   - milliseconds: how long it may take.
  /// - Returns: what would become of the ADD, and why.
  /// - Throws: ``QuestionError`` when the question cannot be put; `DatastoreError` when the store cannot be read.
  public func explain(_ question: AssignmentQuestion, milliseconds: UInt64 = 90_000) async throws -> Explanation {
    let network = try QuestionedNetwork(question)
    var settings = network.settings
    let rehearsed = RehearsalDatastore(store)
    if !question.pools.isEmpty {
      try await askForPools(of: question, &settings, rehearsed, .after(milliseconds: milliseconds))
    }
    let record = CallRecord()
    let assumed = AssumedWorkloads(question, base: workloads)
    var surroundings = Surroundings(memoryDirectory: nil) { record.note($0) }
    surroundings.now = now
    surroundings.milliseconds = milliseconds
    surroundings.takesHostLock = false
    if workloads != nil || question.assumesMetadata { surroundings.workloads = { assumed } }
    surroundings.explain = { record.note($0) }
    let time = now()
    let outcome = try await outcome(question, network, settings, surroundings, rehearsed)
    var explanation = Explanation(question, network: settings.networkName, time: time, outcome, record.calls)
    explanation.writes = rehearsed.changedKeys
    explanation.notes = record.warnings + notes(question, settings, assumed)
    if case .refused(let failure) = outcome, failure.code == .doesNotExist {
      explanation.knownNodes = try await nodes(.after(milliseconds: milliseconds))
    }
    return explanation
  }

  private func outcome(
    _ question: AssignmentQuestion, _ network: QuestionedNetwork, _ settings: CalicoConfiguration,
    _ surroundings: Surroundings, _ rehearsed: RehearsalDatastore<Store>
  ) async throws -> Explanation.Outcome {
    let attachment = Attachment(containerID: "explained", interfaceName: InterfaceName("eth0"))
    do {
      let invocation = CNIInvocation(
        verb: .add, version: .newest, attachment: attachment, arguments: try arguments(question),
        configuration: network.configuration, streams: .ofProcess)
      let backend = try CalicoBackend(invocation, settings, surroundings: surroundings) { _, _ in rehearsed }
      let assignment = try await backend.assign(AssignmentRequest(attachment, addresses: question.addresses))
      return .assigned(assignment.addresses.map(\.address))
    } catch let failure as CalicoFailure {
      // A store that could not be read is no answer to the question.
      if let error = rehearsed.failure { throw error }
      return .refused(failure)
    }
  }

  /// `CNI_ARGS` as the runtime of Kubernetes gives it; nothing for a container of which no namespace is known.
  private func arguments(_ question: AssignmentQuestion) throws(QuestionError) -> CNIArguments {
    var namespace = question.namespace
    if namespace == nil, workloads != nil || question.pod != nil || question.assumesMetadata { namespace = "default" }
    guard let namespace else { return CNIArguments([]) }
    let pod = question.pod ?? AssumedWorkloads.newPod
    for (kind, name) in [("namespace", namespace), ("pod", pod)] {
      guard Attachment.isValid(containerID: Array(name.utf8)) else {
        throw QuestionError("\(QuotedText.quote(name.utf8)) is no name of a \(kind)")
      }
    }
    return CNIArguments(Array("IgnoreUnknown=1;K8S_POD_NAMESPACE=\(namespace);K8S_POD_NAME=\(pod)".utf8))
  }

  /// Asks for the pools of the question, and for addresses of their families.
  private func askForPools(
    of question: AssignmentQuestion, _ settings: inout CalicoConfiguration, _ rehearsed: RehearsalDatastore<Store>,
    _ deadline: Deadline
  ) async throws {
    var families: [String: AddressFamily] = [:]
    let results = try await rehearsed.read([.list(Listing(.resources(.ipPool)))], deadline: deadline)
    guard case .list(let list)? = results.first else { return }
    for item in list.items {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      families[name] = (try? IPPool(decoding: stored.bytes, name: name))?.family
    }
    func isV6(_ text: String) -> Bool { (CIDR(text)?.address.family ?? families[text]) == .v6 }
    settings.poolsV4 = question.pools.filter { !isV6($0) }
    settings.poolsV6 = question.pools.filter(isV6)
    (settings.assignsV4, settings.assignsV6) = (!settings.poolsV4.isEmpty, !settings.poolsV6.isEmpty)
  }

  private func notes(
    _ question: AssignmentQuestion, _ settings: CalicoConfiguration, _ assumed: AssumedWorkloads
  ) -> [String] {
    var notes: [String] = []
    if assumed.lacksPod, let pod = question.pod {
      notes.append("there is no pod \(question.namespace ?? "default")/\(pod): this is what a new one would get")
    }
    let isAboutPod = question.namespace != nil || question.pod != nil
    if workloads == nil, !question.assumesMetadata, isAboutPod {
      notes.append(
        "annotations and labels of pods and namespaces are not looked up in this datastore; give those that matter with "
          + "--pod-annotation, --namespace-annotation and --namespace-label")
    }
    if question.assumesMetadata, !settings.heedsAnnotations {
      notes.append("the CNI configuration has no \"policy\":{\"type\":\"k8s\"}, so that annotations do not count")
    }
    return notes
  }

  private func nodes(_ deadline: Deadline) async throws -> [String] {
    let results = try await store.read([.list(Listing(.resources(.node), .keys))], deadline: deadline)
    guard case .list(let list)? = results.first else { return [] }
    return list.items.compactMap { item -> String? in
      guard case .resource(_, let name) = item.key else { return nil }
      return name
    }
  }
}
