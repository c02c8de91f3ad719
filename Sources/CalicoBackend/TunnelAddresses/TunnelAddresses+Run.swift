import CalicoModel
import Datastore
import JSON

/// What a service that keeps tunnel addresses right tells.
public enum TunnelAddressEvent: Sendable {
  /// They were brought into line.
  case reconciled(TunnelAddressReport)
  /// They could not be; it is tried again.
  case failed(String)
}

extension TunnelAddresses {
  /// Brings the node's tunnel addresses into line now, and whenever a pool or the node changes, until the task is
  /// cancelled or `tell` returns false.
  ///
  /// Every change of a pool counts, and of the Node that it appears or goes, its labels, its tunnel addresses and its
  /// WireGuard keys; what else others write into the Node does not. Changes that come during a reconciliation are one
  /// more reconciliation. A failure is tried again, with pauses of 1 s to 60 s, and told of once for each reason.
  public func run(_ tell: @escaping @Sendable (TunnelAddressEvent) -> Bool) async {
    var lastFailure: String?
    var failures = 0
    while !Task.isCancelled {
      do {
        try await follow { report in
          lastFailure = nil
          failures = 0
          return tell(.reconciled(report))
        }
        return
      } catch {
        if Task.isCancelled { return }
        let text = (error as? CalicoFailure)?.message ?? "\(error)"
        if text != lastFailure, !tell(.failed("failed to reconcile tunnel address: " + text)) { return }
        lastFailure = text
        let seconds = min(60, 1 << min(failures, 6))
        failures += 1
        do { try await pause(.milliseconds(Int.random(in: seconds * 800...seconds * 1200))) } catch { return }
      }
    }
  }

  /// Reconciles at every change that counts, until it is over or something fails.
  private func follow(_ tell: (TunnelAddressReport) -> Bool) async throws {
    let key = Key.resource(.node, node)
    let interest = WatchInterest([.resources(.ipPool)], keys: [key])
    var relevant: RelevantNode?
    var isDue = true
    for try await event in store.watch(interest, from: nil) {
      switch event {
      case .snapshot: isDue = true
      case .change(key, let stored):
        let seen = RelevantNode(stored)
        if seen != relevant { isDue = true }
        relevant = seen
      case .change: isDue = true
      case .bookmark:
        guard isDue else { continue }
        isDue = false
        if try await !tell(reconcile()) { return }
      }
    }
    if !Task.isCancelled { throw DatastoreError(.unavailable, "the datastore ended the watch") }
  }
}

/// What of a Node decides about its tunnel addresses.
private struct RelevantNode: Equatable {
  var exists: Bool
  var labels: [String: String] = [:]
  var texts: [String] = []

  init(_ stored: Stored?) {
    exists = stored != nil
    // A Node that cannot be read is for the reconciliation to report.
    guard let stored, let node = try? Resource(stored: stored.bytes, kind: .node, name: "") else { return }
    labels = ResourceLabelsReader.labels(node)
    texts = TunnelAddressKind.allCases.map { $0.text(in: node) }
    for key in ["wireguardPublicKey", "wireguardPublicKeyV6"] { texts.append(node.status?[key]?.stringValue ?? "") }
  }
}

/// The labels of a resource that is at hand as a whole.
enum ResourceLabelsReader {
  static func labels(_ resource: Resource) -> [String: String] {
    let members = resource.metadata["labels"]?.objectValue?.members ?? []
    return Dictionary(members.map { ($0.key, $0.value.stringValue ?? "") }) { $1 }
  }
}
