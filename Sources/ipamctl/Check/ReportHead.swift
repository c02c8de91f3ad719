import CNI
import CalicoModel
import Datastore
import IntegrityCheck
import JSON

extension Session {
  /// What a report says of this datastore: its `ClusterInformation`, as far as there is one.
  func reportHead() async throws -> AllocationReport.Head {
    var head = AllocationReport.Head(version: PackageVersion.current)
    guard let stored = try await entry(.resource(.clusterInformation, "default")) else { return head }
    let information = try Resource(stored: stored.bytes, kind: .clusterInformation, name: "default")
    head.clusterGUID = information.specification["clusterGUID"]?.stringValue ?? ""
    head.clusterType = information.specification["clusterType"]?.stringValue ?? ""
    head.isLocked = information.specification["datastoreReady"]?.boolValue == false
    head.revision = stored.revision.token
    return head
  }
}

extension Findings {
  /// The handles that hold no address, as a report has them.
  var leakedHandles: [LeakedHandle] {
    faults.compactMap { fault in
      guard case .handle(let name, let handle) = fault.subject, handle.held == 0, let revision = fault.revision else {
        return nil
      }
      return LeakedHandle(identifier: name, uid: revision.identity, revision: revision.token)
    }.sorted { $0.identifier < $1.identifier }
  }
}
