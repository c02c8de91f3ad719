import CNI
import CalicoModel
import CalicoPlugin
import Datastore
import FileSystem
import HostLocal
import IPAM
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Keeps the evidence of a call's attachment in step with its addresses: what ADD commits for the attachment's handle is
/// recorded, and what DEL gives back is forgotten, in the same transaction.
struct AttachmentRecorder: Sendable {
  private let verb: CNIVerb
  private let handleID: String
  /// Nil for verbs that assign nothing.
  private let evidence: AttachmentEvidence?

  /// A recorder of what is committed on one occasion.
  init(_ occasion: CommitOccasion) {
    switch occasion {
    case .call(let invocation): self.init(invocation)
    case .adoption(let holder, let network): self.init(holder, network)
    }
  }

  /// For ADD it looks at the host, which takes seven system calls: two small files, and the status of the namespace.
  private init(_ invocation: CNIInvocation) {
    let network = invocation.configuration.name
    verb = invocation.verb
    handleID = network + "." + invocation.attachment.containerID
    guard verb == .add else {
      evidence = nil
      return
    }
    let source = BootIdentity.Source()
    evidence = AttachmentEvidence(
      handle: handleID, network: network, containerID: invocation.attachment.containerID,
      interfaceName: invocation.attachment.interfaceName.description,
      machineID: File.firstLine(of: source.machinePath), bootID: File.firstLine(of: source.bootPath),
      namespace: Self.namespace(invocation.networkNamespace), recordedAt: Int64(time(nil)))
  }

  /// Of a container that host-local gave its address is known that it was there in this boot at the latest, and the
  /// interface's name, which the way back needs; without that, nothing.
  private init(_ holder: ReservationContent.Holder, _ network: String) {
    verb = .add
    handleID = network + "." + holder.containerID
    guard let interfaceName = holder.interfaceName else {
      evidence = nil
      return
    }
    let source = BootIdentity.Source()
    evidence = AttachmentEvidence(
      handle: handleID, network: network, containerID: holder.containerID, interfaceName: interfaceName,
      machineID: File.firstLine(of: source.machinePath), bootID: File.firstLine(of: source.bootPath),
      recordedAt: Int64(time(nil)))
  }

  /// The namespace with its device and inode, which a later one at the same path does not have both of.
  private static func namespace(_ path: String) -> AttachmentEvidence.Namespace? {
    guard !path.isEmpty else { return nil }
    var status = stat()
    guard stat(path, &status) == 0 else { return AttachmentEvidence.Namespace(path: path) }
    let file = AttachmentEvidence.Namespace.File(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    return AttachmentEvidence.Namespace(path: path, file: file)
  }

  /// Commits a plan with what it means for the evidence.
  func commit(_ plan: Plan, to store: SQLiteDatastore, deadline: Deadline) async throws -> Outcome {
    try await store.commit(plan, recording: recorded(by: plan), forgetting: forgotten(by: plan), deadline: deadline)
  }

  private func recorded(by plan: Plan) -> [AttachmentEvidence] {
    guard let evidence, plan.writtenHandles.contains(handleID) else { return [] }
    return [evidence]
  }

  /// The handles that are gone; in DEL also one that is left with counts for which no address was found.
  private func forgotten(by plan: Plan) -> [String] {
    verb == .del ? plan.deletedHandles + plan.writtenHandles : plan.deletedHandles
  }
}

extension Plan {
  /// The handles that are to exist afterwards.
  var writtenHandles: [String] {
    changes.compactMap { change in
      guard case .handle(let identifier) = change.key, case .value = change.final else { return nil }
      return identifier
    }
  }
}
