public import CNI
import CalicoEngine
import CalicoModel
public import Datastore
public import IPAM

/// Gives addresses from blocks of pools that are kept in a datastore, as Calico does.
public struct CalicoBackend<Store: Datastore>: IPAMBackend {
  let configuration: CalicoConfiguration
  /// Nil for the verbs that are about no workload.
  let workload: Workload?
  let nodeName: String
  let surroundings: Surroundings
  let log: CallLog
  private let openStore: @Sendable (StoreAccess) throws -> Store

  /// A backend for one call.
  ///
  /// - Parameters:
  ///   - invocation: the call.
  ///   - configuration: what the call's configuration says, when it has been read already.
  ///   - surroundings: clock, log and the like.
  ///   - openStore: opens the store when a verb first needs it.
  /// - Throws: ``CalicoFailure`` when configuration or arguments are malformed.
  public init(
    _ invocation: CNIInvocation, _ configuration: CalicoConfiguration? = nil, surroundings: Surroundings,
    openStore: @escaping @Sendable (CalicoConfiguration, StoreAccess) throws -> Store
  ) throws(CalicoFailure) {
    let settled: CalicoConfiguration
    if let configuration {
      settled = configuration
    } else {
      settled = try CalicoConfiguration(invocation.configuration)
    }
    self.configuration = settled
    let log = CallLog(settled, surroundings)
    var surroundings = surroundings
    surroundings.log = { log.warning($0) }
    self.log = log
    self.surroundings = surroundings
    self.openStore = { try openStore(settled, $0) }
    nodeName = NodeName.find(settled, log: surroundings.log)
    switch invocation.verb {
    case .add, .del, .check:
      let arguments = try CalicoArguments(invocation.arguments, isAdd: invocation.verb == .add)
      workload = try Workload(invocation.attachment, arguments, settled, nodeName: nodeName)
    case .gc, .status, .version: workload = nil
    }
  }

  /// What carries out operations. One serves a whole call, so that what it read ahead is used.
  typealias Runner = OperationRunner<ReadAheadDatastore<Store>>

  func runner(_ access: StoreAccess) throws -> Runner {
    var explain: (@Sendable ([Decision]) -> Void)?
    if let tell = surroundings.explain { explain = { decisions in tell(.operation(decisions)) } }
    return OperationRunner(
      ReadAheadDatastore(try openStore(access), isEnabled: surroundings.readsAhead), monotonic: surroundings.monotonic,
      explain: explain)
  }

  /// The workload of a call that has one.
  func requireWorkload() throws(CalicoFailure) -> Workload {
    guard let workload else { throw CalicoFailure("this verb is about no container") }
    return workload
  }

  /// The host's lock, waited for at most half as long as the operation may take; nil where it is not wanted.
  func acquireLock() -> HostLock? {
    guard surroundings.takesHostLock else { return nil }
    let seconds = UInt32(clamping: surroundings.milliseconds / 2000)
    return HostLock.acquire(configuration.lockFile, seconds: max(1, seconds), log: surroundings.log)
  }

  var deadline: Deadline { .after(milliseconds: surroundings.milliseconds) }

  /// What earlier operations of the node remember.
  func openMemory() -> MemoryFile? {
    surroundings.memoryDirectory.map {
      MemoryFile(
        directory: $0 + "/" + configuration.storeDigest, node: nodeName,
        exhaustionLifetime: surroundings.exhaustionNanoseconds)
    }
  }
}

/// What a verb needs the store for.
public enum StoreAccess: Hashable, Sendable {
  /// Reading only: nothing may be created.
  case reading
  case writing
}
