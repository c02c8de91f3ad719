import NIOCore
import NIOPosix
import NIOSSL

/// Makes connections to members of a cluster.
struct EtcdDialer: Sendable {
  /// Why a member could not be reached.
  struct Failure: Error, Hashable, Sendable {
    var endpoint: EtcdEndpoint
    /// What was found.
    var text: String
    /// What to do about it; may be empty.
    var advice: String
  }

  let group: MultiThreadedEventLoopGroup
  let tls: EtcdTLS?

  /// How long members may keep us waiting, all together: a failure has to come to light within five seconds.
  private static let patience = TimeAmount.milliseconds(4_500)

  /// Tries members, one after the other, beginning with one of them.
  ///
  /// - Parameters:
  ///   - endpoints: the members; at least one.
  ///   - first: the index of the one to begin with.
  ///   - loop: the event loop of the group.
  /// - Returns: the connection, and the index of its member. It fails with the ``Failure``s of all, as ``Failures``.
  func dial(
    _ endpoints: [EtcdEndpoint], from first: Int, on loop: any EventLoop
  ) -> EventLoopFuture<(GRPCConnection, Int)> {
    let share = TimeAmount.nanoseconds(Self.patience.nanoseconds / Int64(max(1, endpoints.count)))
    let each = max(TimeAmount.seconds(1), share)
    let order = endpoints.indices.map { ($0 + first) % endpoints.count }
    return dial(endpoints, order[...], each, [], on: loop)
  }

  /// All members' failures.
  struct Failures: Error {
    var failures: [Failure]
  }

  private func dial(
    _ endpoints: [EtcdEndpoint], _ order: ArraySlice<Int>, _ patience: TimeAmount, _ failures: [Failure],
    on loop: any EventLoop
  ) -> EventLoopFuture<(GRPCConnection, Int)> {
    guard let index = order.first else { return loop.makeFailedFuture(Failures(failures: failures)) }
    let endpoint = endpoints[index]
    return connect(to: endpoint, patience, on: loop).map { ($0, index) }.flatMapError { error in
      explain(error, endpoint, on: loop).flatMap { failure in
        dial(endpoints, order.dropFirst(), patience, failures + [failure], on: loop)
      }
    }
  }

  // MARK: One member

  private func connect(
    to endpoint: EtcdEndpoint, _ patience: TimeAmount, on loop: any EventLoop
  ) -> EventLoopFuture<GRPCConnection> {
    let made = loop.makePromise(of: GRPCConnection.self)
    let opened = open(to: endpoint, patience) { channel in
      let ready = channel.eventLoop.makePromise(of: Void.self)
      do {
        if endpoint.usesTLS, let tls {
          try channel.pipeline.syncOperations.addHandler(tls.handler(for: endpoint))
        }
        let connection = try GRPCConnection(
          channel, scheme: endpoint.scheme, authority: endpoint.authority, ready: ready)
        // Of several addresses of one name only the one that is connected gets this far.
        ready.futureResult.whenComplete { made.completeWith($0.map { connection }) }
      } catch {
        ready.fail(error)
        throw error
      }
    }
    opened.whenFailure { made.fail($0) }
    let timer = loop.scheduleTask(in: patience) {
      made.fail(ChannelError.connectTimeout(patience))
      opened.whenSuccess { $0.close(promise: nil) }
    }
    made.futureResult.whenComplete { _ in timer.cancel() }
    return made.futureResult
  }

  private func open(
    to endpoint: EtcdEndpoint, _ patience: TimeAmount, _ prepare: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let bootstrap = ClientBootstrap(group: group)
      .connectTimeout(patience)
      .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
    guard endpoint.isAddress, let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) else {
      return bootstrap.connect(host: endpoint.host, port: endpoint.port)
    }
    return bootstrap.connect(to: address)
  }

  // MARK: Failures

  private func explain(
    _ error: any Error, _ endpoint: EtcdEndpoint, on loop: any EventLoop
  ) -> EventLoopFuture<Failure> {
    let text = TransportText.describe(error)
    guard endpoint.usesTLS, let tls, text.contains("CERTIFICATE_VERIFY_FAILED") else {
      let (text, advice) = words(text, endpoint)
      return loop.makeSucceededFuture(Failure(endpoint: endpoint, text: text, advice: advice))
    }
    return look(at: endpoint, tls, on: loop).map { certificates in
      let (text, advice) = tls.objection(to: certificates, of: endpoint)
      return Failure(endpoint: endpoint, text: text, advice: advice)
    }
  }

  private func words(_ text: String, _ endpoint: EtcdEndpoint) -> (text: String, advice: String) {
    let isAlert = text.contains("ALERT")
    if text.contains("failedToValidateHostname") || text.contains("ailed to validate hostname") {
      return (
        "the server's certificate is not for \(endpoint.host)",
        "name the member by a name or address in its certificate, or have one made for \(endpoint.host)"
      )
    }
    if isAlert, let tls, tls.isOwnExpired {
      return ("the server refuses \(tls.ownName), which has expired", "renew the client certificate")
    }
    if isAlert {
      return (
        "the server refuses our TLS handshake (\(Self.alert(in: text)))",
        "set a client certificate and key that the member's trusted CA has signed (ETCD_CERT_FILE, ETCD_KEY_FILE)"
      )
    }
    if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") || text.contains("EOF during") {
      return ("what answers there does not speak TLS", "write the endpoint with http://, or have the member serve TLS")
    }
    if text.contains("sign of life") || text.contains("no answer") {
      return (text, "see that the member runs, and that no firewall keeps this host from it")
    }
    if !endpoint.usesTLS, text.contains("closed the connection") || text.contains("reset") {
      return (text, "if the member serves TLS, write the endpoint with https:// and name the certificates")
    }
    return (text, "see that the member runs and listens at \(endpoint)")
  }

  /// The name of a TLS alert in the library's text.
  private static func alert(in text: String) -> String {
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    guard let word = words.first(where: { $0.contains("ALERT_") }) else { return text }
    return word.split(separator: "_").drop { $0 != "ALERT" }.dropFirst().joined(separator: " ").lowercased()
  }

  /// Has a server show its certificates, to say what is wrong with them.
  private func look(
    at endpoint: EtcdEndpoint, _ tls: EtcdTLS, on loop: any EventLoop
  ) -> EventLoopFuture<[NIOSSLCertificate]> {
    let seen = loop.makePromise(of: [NIOSSLCertificate].self)
    let opened = open(to: endpoint, .seconds(1)) { channel in
      try channel.pipeline.syncOperations.addHandler(tls.looking(at: endpoint, seen))
    }
    opened.whenFailure { seen.fail($0) }
    let timer = loop.scheduleTask(in: .seconds(1)) { seen.fail(ChannelError.connectTimeout(.seconds(1))) }
    return seen.futureResult.always { _ in
      timer.cancel()
      opened.whenSuccess { $0.close(promise: nil) }
    }.recover { _ in [] }
  }
}
