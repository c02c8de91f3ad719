import Datastore
import DatastoreSettings

/// Settings that were found to be of use (front-end specification, section 7.3).
struct EtcdConnectionSettings {
  let endpoints: [EtcdEndpoint]
  /// Nil when no endpoint is reached with TLS.
  let tls: EtcdTLS?

  init(_ settings: EtcdSettings) throws(DatastoreError) {
    let texts = settings.endpoints.map(Self.trim).filter { !$0.isEmpty }
    let material = [settings.key, settings.certificate, settings.authority].compactMap(\.self)
    let files = material.filter { if case .file = $0 { true } else { false } }
    guard files.isEmpty || files.count == material.count else {
      throw DatastoreError(
        .unusable, "Cannot mix inline certificate-key and certificate / key files",
        advice: "give the etcd key, certificate and CA certificate all as files, or all inline")
    }
    switch (texts.isEmpty, settings.discoveryDomain.isEmpty) {
    case (true, true):
      throw DatastoreError(
        .unusable, "no etcd endpoints specified", advice: "set ETCD_ENDPOINTS, for example to https://10.0.0.1:2379")
    case (false, false):
      throw DatastoreError(
        .unusable,
        "multiple discovery or bootstrap options specified, use either \"etcdEndpoints\" or \"etcdDiscoverySrv\"",
        advice: "keep one of ETCD_ENDPOINTS and ETCD_DISCOVERY_SRV")
    case (true, false):
      endpoints = try ServiceDiscovery.endpoints(of: settings.discoveryDomain)
    case (false, true):
      var endpoints: [EtcdEndpoint] = []
      for text in texts { endpoints.append(try EtcdEndpoint(text, hasMaterial: !material.isEmpty)) }
      self.endpoints = endpoints
    }
    tls = endpoints.contains(where: \.usesTLS) ? try EtcdTLS(settings) : nil
  }

  private static func trim(_ text: String) -> String {
    let text = text.drop { $0.isWhitespace }
    return String(text.reversed().drop { $0.isWhitespace }.reversed())
  }
}
