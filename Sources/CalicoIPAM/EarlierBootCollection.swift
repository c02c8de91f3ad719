import CalicoBackend
import Datastore
import FileSystem
import SQLiteDatastore

/// Releases what attachments of earlier boots of this machine hold: no container survives a reboot, and that it was
/// another boot is in the evidence that was recorded with the assignment. What was not recorded is kept.
struct EarlierBootCollection {
  let network: String
  let store: SQLiteDatastore
  let log: @Sendable (String) -> Void

  /// The handles of this network of which all evidence is from earlier boots of this machine.
  ///
  /// - Parameter deadline: when to give up.
  /// - Returns: the handles, sorted.
  /// - Throws: `DatastoreError` when the evidence cannot be read.
  func handles(deadline: Deadline) async throws -> [String] {
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
}
