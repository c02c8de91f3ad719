public import DatastoreSettings
public import Datastore

/// A client of one API server, over HTTPS.
public final class KubernetesClient: KubernetesTransport {
  /// A client. Files are read here; the server is not asked anything yet.
  ///
  /// - Parameter settings: where the server is, and who we are.
  /// - Throws: ``KubernetesTransportError`` when the settings cannot be used.
  public init(_ settings: KubernetesSettings) throws(KubernetesTransportError) {
    throw KubernetesTransportError(.settings, "not written yet")
  }

  public func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    throw KubernetesTransportError(.settings, "not written yet")
  }

  public func stream(
    _ request: KubernetesRequest, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    throw KubernetesTransportError(.settings, "not written yet")
  }
}
