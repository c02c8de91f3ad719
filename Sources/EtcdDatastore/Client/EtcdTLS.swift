import Datastore
import DatastoreSettings
import NIOCore
import NIOHTTP2
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Certificates and keys, read and ready for connections.
struct EtcdTLS: Sendable {
  private let context: NIOSSLContext
  /// Our own certificate; nil for none.
  private let certificate: NIOSSLCertificate?
  private let settings: EtcdSettings

  /// Reads what the settings name.
  ///
  /// - Throws: `DatastoreError` that names the file or the member that is of no use.
  init(_ settings: EtcdSettings) throws(DatastoreError) {
    self.settings = settings
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["h2"]
    configuration.minimumTLSVersion = .tlsv12
    if let authority = settings.authority {
      let certificates = try Self.certificates(authority, "CA certificate")
      configuration.trustRoots = .certificates(certificates)
    }
    var own: [NIOSSLCertificate] = []
    switch (settings.certificate, settings.key) {
    case (let certificate?, let key?):
      own = try Self.certificates(certificate, "client certificate")
      configuration.certificateChain = own.map { .certificate($0) }
      configuration.privateKey = .privateKey(try Self.key(key))
    case (nil, nil): break
    case (let certificate, _):
      throw DatastoreError(
        .unusable,
        "there is a client \(certificate == nil ? "key" : "certificate") for etcd and no "
          + (certificate == nil ? "certificate" : "key"),
        advice: "name both or none of them")
    }
    certificate = own.first
    do {
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      throw DatastoreError(
        .unusable,
        "cannot use \(Self.name(settings.certificate, "the client certificate")) with "
          + "\(Self.name(settings.key, "the client key")): \(TransportText.describe(error))",
        advice: "see that the key is the certificate's own")
    }
  }

  private static func name(_ source: PEMSource?, _ text: String) -> String {
    if case .file(let path)? = source { path } else { text }
  }

  private static func certificates(
    _ source: PEMSource, _ what: String
  ) throws(DatastoreError) -> [NIOSSLCertificate] {
    let found: [NIOSSLCertificate]
    do {
      switch source {
      case .file(let path): found = try NIOSSLCertificate.fromPEMFile(path)
      case .text(let text): found = try NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
      }
    } catch {
      throw unreadable(source, what, error)
    }
    guard !found.isEmpty else { throw unreadable(source, what, nil) }
    return found
  }

  private static func key(_ source: PEMSource) throws(DatastoreError) -> NIOSSLPrivateKey {
    do {
      switch source {
      case .file(let path): return try NIOSSLPrivateKey(file: path, format: .pem)
      case .text(let text): return try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem)
      }
    } catch {
      throw unreadable(source, "client key", error)
    }
  }

  private static func unreadable(_ source: PEMSource, _ what: String, _ error: (any Error)?) -> DatastoreError {
    let where_ = if case .file(let path) = source { "the file \(path)" } else { "the configuration" }
    if case .file(let path) = source, access(path, R_OK) != 0 {
      let reason = TransportText.text(of: errno)
      return DatastoreError(
        .unusable, "cannot read the etcd \(what) \(path): \(reason)", advice: "see that it is there")
    }
    return DatastoreError(
      .unusable, "the etcd \(what) in \(where_) is not one in PEM form", advice: "give a PEM text that openssl reads")
  }

  /// The handler that makes a connection secure and the server prove who it is.
  ///
  /// - Parameter endpoint: the server; its name, or its address, has to be in its certificate.
  /// - Returns: the handler.
  /// - Throws: what the library has against the server's name.
  func handler(for endpoint: EtcdEndpoint) throws -> NIOSSLClientHandler {
    try NIOSSLClientHandler(context: context, serverHostname: endpoint.isAddress ? nil : endpoint.host)
  }

  /// The handler of a connection that only shows the server's certificates, and is then broken off.
  func looking(at endpoint: EtcdEndpoint, _ seen: EventLoopPromise<[NIOSSLCertificate]>) throws -> NIOSSLClientHandler {
    try NIOSSLClientHandler(
      context: context, serverHostname: endpoint.isAddress ? nil : endpoint.host,
      customVerificationCallback: { certificates, verdict in
        seen.succeed(certificates)
        verdict.succeed(.failed)
      })
  }

  // MARK: What went wrong

  /// Says why a server's certificate was not accepted.
  ///
  /// - Parameters:
  ///   - certificates: what the server showed, its own first.
  ///   - endpoint: the server.
  /// - Returns: what is wrong, and what to do about it.
  func objection(to certificates: [NIOSSLCertificate], of endpoint: EtcdEndpoint) -> (text: String, advice: String) {
    let now = time(nil)
    for (index, certificate) in certificates.enumerated() {
      let whose = index == 0 ? "the server's certificate" : "a certificate of the server's chain"
      if certificate.notValidAfter < now {
        return ("\(whose) has expired", "renew the certificate of the etcd member at \(endpoint)")
      }
      if certificate.notValidBefore > now {
        return ("\(whose) is not valid yet", "compare this host's clock with that of the etcd member at \(endpoint)")
      }
    }
    let authority = Self.name(settings.authority, settings.authority == nil ? "the system's authorities" : "the CA")
    return (
      "the server's certificate is not signed by an authority in \(authority)",
      "set the CA certificate (ETCD_CA_CERT_FILE) to that of the authority that signed the certificate of the etcd "
        + "member at \(endpoint)"
    )
  }

  /// Whether our own certificate is too old to be accepted by anybody.
  var isOwnExpired: Bool { certificate.map { $0.notValidAfter < time(nil) } ?? false }

  /// The common name in our own certificate; nil when there is none.
  var commonName: String? {
    // The library tells the subject in its description only.
    guard let text = certificate?.description, let parts = Optional(text.split(separator: ";")) else { return nil }
    let mark = "common_name="
    guard let part = parts.first(where: { $0.hasPrefix(mark) }) else { return nil }
    return String(part.dropFirst(mark.utf8.count).prefix { $0 != ">" })
  }

  /// The name of our own certificate, for advice.
  var ownName: String { Self.name(settings.certificate, "the client certificate") }
}
