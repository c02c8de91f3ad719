import CalicoEngine
import Datastore
import IPAddressing

extension CalicoBackend {
  /// The blocks in which this node found room.
  var knownRooms: [CIDR] { surroundings.readsAhead ? openMemory()?.rooms ?? [] : [] }

  /// Finds out what is wanted, while the datastore is asked what will be needed to give it.
  ///
  /// - Parameters:
  ///   - workload: for whom.
  ///   - requested: the addresses that the call names, with which nothing else counts.
  ///   - claim: whose addresses they will be.
  ///   - runner: what carries out operations.
  /// - Returns: what is wanted.
  /// - Throws: ``CalicoFailure`` when namespace or pod cannot be had or have malformed annotations, or what the store
  ///   throws.
  func wishes(
    _ workload: Workload, _ requested: [IPAddress], _ claim: AddressClaim, _ runner: Runner
  ) async throws -> Wishes {
    var wishes = Wishes(configuration)
    let memory = surroundings.readsAhead ? openMemory() : nil
    let rooms = memory?.rooms ?? []
    guard requested.isEmpty else {
      runner.store.expect(
        ExpectedReads.assignment(of: requested, on: nodeName, rooms: rooms, handleID: claim.handleID))
      wishes.apply(requested: requested)
      return wishes
    }
    let families = (wishes.assignsV4 ? [AddressFamily.v4] : []) + (wishes.assignsV6 ? [.v6] : [])
    // Where the node has blocks with room, an address is likely to be had from them.
    runner.store.mayLag = surroundings.waitsForLists && families.allSatisfy { memory?.hasRoom($0) ?? false }
    runner.store.expect(
      ExpectedReads.assignment(
        on: nodeName, families: families, rooms: Array(rooms.filter { families.contains($0.address.family) }.prefix(2)),
        handleID: claim.handleID))
    guard configuration.looksUpNamespaces, let workloads = surroundings.workloads else { return wishes }
    let directory = try workloads()
    let limit = Deadline.after(milliseconds: 30_000)
    let arguments = workload.arguments
    let name = arguments.isKubernetes ? arguments.podNamespace : arguments.testNamespace
    async let namespace = Self.namespace(name, directory, limit)
    async let pod = configuration.heedsAnnotations ? Self.pod(arguments, directory, limit) : nil
    try await runner.store.fetch(deadline: limit)
    let (foundNamespace, foundPod) = try await (namespace, pod)
    wishes.namespaceLabels = foundNamespace.labels
    if configuration.heedsAnnotations, arguments.isKubernetes {
      wishes.apply(
        try WorkloadAnnotations(pod: foundPod?.annotations ?? [:], namespace: foundNamespace.annotations))
    }
    return wishes
  }

  private static func namespace(
    _ name: String, _ directory: any WorkloadDirectory, _ deadline: Deadline
  ) async throws -> NamespaceFacts {
    do {
      return try await directory.namespace(name, deadline: deadline)
    } catch {
      throw error.prefixed("failed to get namespace \(name): ")
    }
  }

  private static func pod(
    _ arguments: CalicoArguments, _ directory: any WorkloadDirectory, _ deadline: Deadline
  ) async throws -> PodFacts? {
    guard arguments.isKubernetes else { return nil }
    do {
      return try await directory.pod(arguments.podName, namespace: arguments.podNamespace, deadline: deadline)
    } catch {
      throw error.prefixed("failed to get pod \(arguments.podNamespace)/\(arguments.podName): ")
    }
  }
}

extension CalicoFailure {
  /// The failure with what it was for in front.
  func prefixed(_ text: String) -> CalicoFailure {
    var failure = self
    failure.message = text + message
    return failure
  }
}
