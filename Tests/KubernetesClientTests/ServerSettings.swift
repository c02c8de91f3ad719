import Datastore
import DatastoreSettings
import KubernetesClient
import TestSupport

/// How the tests reach their server, and what they ask it.
extension KubernetesServer {
  /// By the token.
  func settings() -> KubernetesSettings {
    var settings = KubernetesSettings()
    settings.server = url
    settings.token = token
    settings.authority = .file(certificates + "/ca.crt")
    return settings
  }

  /// By the kubeconfig's client certificate.
  func kubeconfigSettings(context: String = "") -> KubernetesSettings {
    var settings = KubernetesSettings()
    settings.kubeconfig = kubeconfig
    settings.context = context
    return settings
  }

  func client(_ settings: KubernetesSettings? = nil) throws -> KubernetesClient {
    try KubernetesClient(settings ?? self.settings())
  }
}

extension KubernetesTransport {
  func get(_ path: String, milliseconds: UInt64 = 10_000) async throws(KubernetesTransportError) -> KubernetesResponse {
    try await send(KubernetesRequest(.get, path), deadline: .after(milliseconds: milliseconds))
  }

  /// Why a request fails; nil when it does not.
  func failure(_ path: String, milliseconds: UInt64 = 10_000) async -> KubernetesTransportError? {
    do throws(KubernetesTransportError) {
      _ = try await get(path, milliseconds: milliseconds)
      return nil
    } catch {
      return error
    }
  }
}

extension KubernetesResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}
