public import CalicoBackend
public import DatastoreSettings
public import KubernetesClient

extension KubernetesWorkloads {
  /// A client for look-ups.
  ///
  /// - Parameter settings: where the server is, and who we are.
  /// - Returns: the client, which has asked nothing yet.
  /// - Throws: ``CalicoFailure`` when the settings cannot be used.
  public static func client(_ settings: KubernetesSettings) throws(CalicoFailure) -> KubernetesClient {
    do throws(KubernetesTransportError) {
      return try KubernetesClient(settings)
    } catch {
      throw CalicoFailure(error.description, details: error.advice)
    }
  }
}
