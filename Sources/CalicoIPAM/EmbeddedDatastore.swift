import CNI
import CalicoModel
import CalicoPlugin
import Datastore
import FileSystem
import HostLocal
import IPAM
import SQLiteDatastore

/// The embedded datastore with its record of attachments: what can prove later that an attachment ended is written in the
/// transaction that gives it its addresses.
struct EmbeddedDatastore: PluginDatastore {
  private let store: SQLiteDatastore

  /// The plugin's view of an embedded datastore.
  init(_ store: SQLiteDatastore) {
    self.store = store
  }

  static var keepsEvidence: Bool { true }

  var commitsAtomically: Bool { store.commitsAtomically }

  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] {
    try await store.read(reads, deadline: deadline)
  }

  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome {
    try await store.commit(plan, recording: [], forgetting: plan.deletedHandles, deadline: deadline)
  }

  func commit(_ plan: Plan, on occasion: CommitOccasion, deadline: Deadline) async throws -> Outcome {
    try await AttachmentRecorder(occasion).commit(plan, to: store, deadline: deadline)
  }

  /// No container survives a reboot, and that it was another boot is in the evidence that was recorded with the
  /// assignment. What was not recorded is kept.
  func handlesOfEarlierBoots(network: String, deadline: Deadline) async throws -> [String] {
    let source = BootIdentity.Source()
    let machine = File.firstLine(of: source.machinePath)
    let boot = File.firstLine(of: source.bootPath)
    guard !machine.isEmpty, !boot.isEmpty else { return [] }
    var earlier: Set<String> = []
    var others: Set<String> = []
    for evidence in try await store.evidence(deadline: deadline) where evidence.network == network {
      let isEarlier = evidence.machineID == machine && !evidence.bootID.isEmpty && evidence.bootID != boot
      if isEarlier { earlier.insert(evidence.handle) } else { others.insert(evidence.handle) }
    }
    return earlier.subtracting(others).sorted()
  }

  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    store.watch(interest, from: cursor)
  }
}
