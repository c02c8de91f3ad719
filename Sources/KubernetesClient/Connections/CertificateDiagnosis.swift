import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Finds out why a server's certificate was not accepted, which the failed handshake does not tell.
enum CertificateDiagnosis {
  /// Connects once more, only to look at the server's certificates; nothing is sent to it.
  ///
  /// - Parameter access: the server.
  /// - Returns: a clause about the server's certificate; nil when it cannot be had, or nothing is to be seen in it.
  static func explain(_ access: ServerAccess) async -> String? {
    guard access.proxy == nil, let chain = await certificates(access), let first = chain.first else { return nil }
    let now = time(nil)
    for certificate in chain {
      let name = certificate == first ? "the server's certificate" : "a certificate of the server's authority"
      if certificate.notValidAfter < now { return "\(name) expired on \(text(certificate.notValidAfter))" }
      if certificate.notValidBefore > now {
        return "\(name) is valid only from \(text(certificate.notValidBefore)) on"
      }
    }
    return nil
  }

  /// A moment as `2026-08-14 09:12:33 UTC`.
  static func text(_ moment: time_t) -> String {
    var moment = moment
    var parts = tm()
    guard gmtime_r(&moment, &parts) != nil else { return "an unknown day" }
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
  }

  private static func certificates(_ access: ServerAccess) async -> [NIOSSLCertificate]? {
    let seen = ConnectionPool.group.any().makePromise(of: [NIOSSLCertificate].self)
    let name = access.serverName.isEmpty ? access.server.host : access.serverName
    // Names are sent with the handshake, addresses must not be (RFC 6066, section 3).
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    let timer = seen.futureResult.eventLoop.scheduleTask(in: .seconds(2)) { seen.fail(SilentServer()) }
    let connecting = ClientBootstrap(group: ConnectionPool.group)
      .connectTimeout(.seconds(2))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let context = try NIOSSLContext(configuration: .makeClientConfiguration())
          let handler = try NIOSSLClientHandler(
            context: context, serverHostname: isAddress ? nil : name,
            customVerificationCallback: { chain, verdict in
              seen.succeed(chain)
              verdict.succeed(.failed)
            })
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .connect(host: access.server.host, port: access.server.port)
    connecting.whenFailure { seen.fail($0) }
    defer {
      timer.cancel()
      connecting.whenSuccess { $0.close(promise: nil) }
    }
    // Without an answer there is nothing to add to what is known already.
    return try? await seen.futureResult.get()
  }
}
