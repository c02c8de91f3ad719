public import CalicoBackend
import CalicoEngine
public import Datastore
import JSON
public import KubernetesClient

/// Asks the API server about nodes, namespaces, pods and virtual machines.
///
/// Of all but nodes only the metadata is asked for, which is all that is needed: a pod's specification and status are
/// many times as long. A server that is too busy is asked again when it says so, until the deadline.
public struct KubernetesWorkloads: WorkloadDirectory {
  let transport: any KubernetesTransport

  /// Asks by a transport, which others may use as well.
  public init(_ transport: any KubernetesTransport) {
    self.transport = transport
  }

  /// A node.
  ///
  /// - Parameters:
  ///   - name: the node's name in Kubernetes.
  ///   - deadline: when to give up.
  /// - Returns: what the server knows of it.
  /// - Throws: ``CalicoFailure`` in the server's words, also when there is no such node.
  public func node(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NodeFacts {
    NodeFacts(try await object(.node(name), deadline: deadline))
  }

  public func namespace(_ name: String, deadline: Deadline) async throws(CalicoFailure) -> NamespaceFacts {
    let metadata = try await object(.namespace(name), deadline: deadline)
    return NamespaceFacts(name: metadata.name, labels: metadata.labels, annotations: metadata.annotations)
  }

  public func pod(_ name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodFacts? {
    let metadata: KubernetesObject
    do throws(CalicoFailure) {
      metadata = try await object(.pod(name, namespace: namespace), deadline: deadline)
    } catch {
      guard error.code == .doesNotExist else { throw error }
      return nil
    }
    return PodFacts(
      name: metadata.name, namespace: namespace, uid: metadata.uid, labels: metadata.labels,
      annotations: metadata.annotations, owners: metadata.owners)
  }

  public func virtualMachineInstance(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    try await machine(.virtualMachineInstance(name, namespace: namespace), deadline: deadline)
  }

  public func virtualMachine(
    _ name: String, namespace: String, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    try await machine(.virtualMachine(name, namespace: namespace), deadline: deadline)
  }

  private func machine(
    _ path: ObjectPath, deadline: Deadline
  ) async throws(CalicoFailure) -> VirtualMachineObject {
    let metadata = try await object(path, deadline: deadline)
    return VirtualMachineObject(
      name: metadata.name, uid: metadata.uid, isBeingDeleted: metadata.isBeingDeleted, owners: metadata.owners)
  }

  private func object(_ path: ObjectPath, deadline: Deadline) async throws(CalicoFailure) -> KubernetesObject {
    let response = try await response(path, deadline: deadline)
    guard response.status == 200 else { throw Self.failure(response, path) }
    return try KubernetesObject(response.body, path)
  }

  /// An answer, whatever its status; a server that is too busy is asked again.
  func response(_ path: ObjectPath, deadline: Deadline) async throws(CalicoFailure) -> KubernetesResponse {
    guard let text = path.text else {
      throw CalicoFailure("\(path.resource) \"\(path.name)\" cannot exist: it is not a valid name")
    }
    let request = KubernetesRequest(.get, text, accepts: path.accepts)
    while true {
      let response: KubernetesResponse
      do throws(KubernetesTransportError) {
        response = try await transport.send(request, deadline: deadline)
      } catch {
        throw CalicoFailure(error.description, details: error.advice)
      }
      let wait = UInt64(max(1, response.retryAfter ?? 1)) * 1000
      guard response.status == 429, deadline.millisecondsLeft > wait else { return response }
      do {
        try await Task.sleep(for: .milliseconds(wait))
      } catch {
        return response
      }
    }
  }

  /// The server's own words, and what to do.
  static func failure(_ response: KubernetesResponse, _ path: ObjectPath) -> CalicoFailure {
    let status = (try? JSON(parsing: response.body))?.objectValue
    let message = status?["message"]?.stringValue ?? ""
    var failure = CalicoFailure(
      message.isEmpty ? "the API server answered \(response.status) to GET \(path.text ?? path.name)" : message)
    switch response.status {
    case 401: failure.details = "the API server does not know who we are: renew the token or the client certificate"
    case 403: failure.details = "grant the user `get` on \(path.resource)"
    case 404 where path.resource == "nodes":
      failure.details =
        "the name comes from kubernetes.node_name or nodename in the network configuration, "
        + "/var/lib/calico/nodename, or the host's name"
    case 429: failure.details = "the API server is too busy; try again"
    default: break
    }
    // Of a kind that it does not have the server says 404 as well, but gives no such reason.
    if response.status == 404, status?["reason"]?.stringValue == "NotFound" { failure.code = .doesNotExist }
    return failure
  }
}
