import FileSystem
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The certificates and the key of a connection, as they are now.
struct TLSMaterial: Sendable {
  /// Which content of files this was made of: another one has other stamps.
  struct FileStamp: Hashable, Sendable {
    var path: String
    var inode: UInt64
    var size: Int64
    var seconds: Int
    var nanoseconds: Int
  }

  let configuration: TLSConfiguration
  /// Our own certificate, and what to call it in messages; nil for none.
  let certificate: (value: NIOSSLCertificate, name: String)?
  let stamps: [FileStamp]

  /// Reads what the access names.
  ///
  /// - Throws: ``KubernetesTransportError`` with the code `settings` when a file is missing or holds something else.
  init(_ access: ServerAccess) throws(KubernetesTransportError) {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if access.skipsVerification {
      configuration.certificateVerification = .none
    } else if let authority = access.authority {
      configuration.trustRoots = .certificates(try Self.certificates(authority, role: "certificate authority"))
    }
    var own: (NIOSSLCertificate, String)?
    if let certificate = access.certificate, let key = access.key {
      let chain = try Self.certificates(certificate, role: "client certificate")
      configuration.certificateChain = chain.map { .certificate($0) }
      configuration.privateKey = .privateKey(try Self.privateKey(key))
      if let first = chain.first { own = (first, Self.name(certificate, role: "client certificate")) }
    }
    self.configuration = configuration
    self.certificate = own
    stamps = Self.stamps(access)
  }

  /// Why our own certificate cannot be accepted any more: a clause; nil when there is none, or it is still valid.
  var expiry: String? {
    guard let certificate, certificate.value.notValidAfter < time(nil) else { return nil }
    return "\(certificate.name) expired on \(CertificateDiagnosis.text(certificate.value.notValidAfter))"
  }

  /// The stamps of the files as they are now; a file that is missing has none.
  static func stamps(_ access: ServerAccess) -> [FileStamp] {
    [access.authority, access.certificate, access.key].compactMap { origin in
      guard case .file(let path)? = origin else { return nil }
      do throws(SystemError) {
        let status = try File.status(of: try File.open(path, O_RDONLY))
        return FileStamp(
          path: path, inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
          nanoseconds: status.st_mtim.tv_nsec)
      } catch {
        // Being replaced, perhaps: the next look finds it.
        return nil
      }
    }
  }

  private static func certificates(
    _ origin: Kubeconfig.PEMOrigin, role: String
  ) throws(KubernetesTransportError) -> [NIOSSLCertificate] {
    let bytes = try bytes(origin, role: role)
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
      throw KubernetesTransportError(
        .settings, "\(name(origin, role: role)) holds no certificate in PEM",
        advice: "a certificate in PEM begins with -----BEGIN CERTIFICATE-----")
    }
    return certificates
  }

  private static func privateKey(_ origin: Kubeconfig.PEMOrigin) throws(KubernetesTransportError) -> NIOSSLPrivateKey {
    let bytes = try bytes(origin, role: "client key")
    guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
      throw KubernetesTransportError(
        .settings, "\(name(origin, role: "client key")) holds no private key in PEM without a passphrase",
        advice: "a key in PEM begins with -----BEGIN PRIVATE KEY----- or -----BEGIN EC PRIVATE KEY-----")
    }
    return key
  }

  private static func bytes(
    _ origin: Kubeconfig.PEMOrigin, role: String
  ) throws(KubernetesTransportError) -> [UInt8] {
    switch origin {
    case .data(let bytes, _): return bytes
    case .file(let path):
      do throws(SystemError) {
        return try File.contents(at: path)
      } catch {
        throw KubernetesTransportError(
          .settings, "cannot read the \(role) \(path): \(SystemReason.text(error.number))",
          advice: "correct the path, or make the file readable for this program")
      }
    }
  }

  private static func name(_ origin: Kubeconfig.PEMOrigin, role: String) -> String {
    switch origin {
    case .file(let path): "the \(role) \(path)"
    case .data(_, let name): name
    }
  }
}
