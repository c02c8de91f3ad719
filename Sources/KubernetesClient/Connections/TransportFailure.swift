import AsyncHTTPClient
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Puts the errors of connections into words, and into the codes that say whether a request may have been done.
struct TransportFailure {
  let access: ServerAccess
  let request: KubernetesRequest
  /// Whether anything of the request may have reached the server.
  let wasSent: Bool

  /// What an error comes to.
  func error(of error: any Error) async -> KubernetesTransportError {
    if let failure = error as? KubernetesTransportError { return failure }
    if let failure = await certificateFailure(error) { return failure }
    let reason = Self.reason(error)
    guard wasSent, !Self.isRefusedStream(error) else {
      return KubernetesTransportError(
        .unreachable, "cannot reach the API server \(access.server.url)\(Self.way(access)): \(reason)",
        advice: "check the address in the kubeconfig, and that the server runs")
    }
    return KubernetesTransportError(
      .lost, "no whole answer to \(request.method.rawValue) \(path) from \(access.server.url): \(reason)",
      advice: request.method == .get ? "try again" : "the server may have done it: look, and then try again")
  }

  /// Whether a connection of its own was made for the request, or tried to be, and nothing can be gained by another.
  static func isConnecting(_ error: any Error) -> Bool {
    switch error {
    case is NIOConnectionError, is NIOSSLExtraError, NIOSSLError.handshakeFailed: true
    case let error as HTTPClientError:
      [
        .connectTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
        .getConnectionFromPoolTimeout, .deadlineExceeded, .invalidProxyResponse, .proxyAuthenticationRequired,
        .alreadyShutdown,
      ].contains(error)
    default: false
    }
  }

  /// Whether the connection may have gone silent rather than have ended: it must not be used for anything else.
  static func isSilence(_ error: any Error) -> Bool {
    switch error {
    case is SilentServer: true
    case let error as HTTPClientError: error == .deadlineExceeded || error == .readTimeout
    default: false
    }
  }

  /// Whether the server has said that it has not looked at the request (RFC 9113, section 8.7).
  static func isRefusedStream(_ error: any Error) -> Bool {
    (error as? NIOHTTP2Errors.StreamClosed)?.errorCode == .refusedStream
  }

  private func certificateFailure(_ error: any Error) async -> KubernetesTransportError? {
    let text = "\(error)"
    let host = access.serverName.isEmpty ? access.server.host : access.serverName
    if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
      return KubernetesTransportError(
        .refusedCertificate, "the certificate of the API server \(access.server.url) is not for \(host)",
        advice: "use a name or an address that it is for, or name one as tls-server-name in the kubeconfig")
    }
    if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
      if let found = await CertificateDiagnosis.explain(access) {
        return KubernetesTransportError(
          .refusedCertificate, "the certificate of the API server \(access.server.url) is not accepted: \(found)",
          advice: "renew the server's certificate; check this host's clock as well")
      }
      return KubernetesTransportError(
        .refusedCertificate,
        "the certificate of the API server \(access.server.url) is not accepted: it is not "
          + "signed by \(authority)",
        advice: "set the cluster's certificate authority: certificate-authority in the kubeconfig")
    }
    guard error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError, text.contains("_ALERT_") else {
      return nil
    }
    return KubernetesTransportError(
      .refusedCertificate,
      "the API server \(access.server.url) refuses the TLS connection"
        + (access.certificate == nil ? "" : " with our client certificate") + ": \(Self.alert(in: text))",
      advice: access.certificate == nil
        ? "it may demand a client certificate: configure one" : "use one that the server's authority has signed")
  }

  private var authority: String {
    switch access.authority {
    case .file(let path)?: "the certificate authority \(path)"
    case .data(_, let name)?: name
    case nil: "an authority that this system trusts, and no other one is configured"
    }
  }

  /// The path without the query, which says nothing of what went wrong.
  private var path: String { String(request.path.prefix { $0 != "?" }) }

  private static func way(_ access: ServerAccess) -> String {
    access.proxy.map { " through the proxy \($0.authority)" } ?? ""
  }

  private static func alert(in text: String) -> String {
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    return words.first { $0.contains("_ALERT_") }.map(String.init) ?? "TLS alert"
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if let failure = error.connectionErrors.first { return reason(failure.error) }
      if error.dnsAError != nil || error.dnsAAAAError != nil { return "no address is known for \(error.host)" }
      return "no connection"
    case let error as IOError: return SystemReason.text(error.errnoCode)
    case is ChannelError: return "the connection has ended"
    case is SilentServer: return "the server says nothing"
    case is CancellationError: return "nobody waits for the answer any longer"
    case let error as AnswerTooLong: return "the answer is longer than \(error.limit) bytes"
    case let error as HTTPClientError: return reason(error)
    case NIOSSLError.uncleanShutdown: return "the connection has ended"
    case is NIOSSLError, is BoringSSLError: return "no TLS connection (\(error))"
    default: return "\(error)"
    }
  }

  private static func reason(_ error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: "no connection within \(ConnectionPool.connectTimeout.nanoseconds / 1_000_000_000) s"
    case .tlsHandshakeTimeout: "no TLS handshake within the time"
    case .deadlineExceeded, .getConnectionFromPoolTimeout: "no answer within the time"
    case .remoteConnectionClosed: "the connection has ended"
    // The library says so of a stream whose connection ends before it is opened as well.
    case .cancelled: Task.isCancelled ? "nobody waits for the answer any longer" : "the connection has ended"
    case .alreadyShutdown: "the client has been closed"
    default: error.shortDescription
    }
  }
}
