import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The connections to a server that were made with the same certificates.
///
/// Whoever has a request under way holds the pool; it ends when nobody does.
final class ConnectionPool: Sendable {
  let client: HTTPClient
  let material: TLSMaterial?
  private let configuration: HTTPClient.Configuration
  private let ordered = Mutex<HTTPClient?>(nil)

  /// One thread for all connections of the process.
  static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  /// How long making a connection may take, the handshake included.
  static let connectTimeout = TimeAmount.seconds(5)

  init(_ access: ServerAccess, _ material: TLSMaterial?, _ traffic: Traffic) {
    var configuration = HTTPClient.Configuration()
    configuration.tlsConfiguration = material?.configuration
    // A token must not follow a redirection to who knows whom.
    configuration.redirectConfiguration = .disallow
    configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.connectTimeout)
    // Who asks decides what to try again; a connection that cannot be made is answered at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.decompression = .disabled
    configuration.httpVersion = .automatic
    configuration.http1_1ConnectionDebugInitializer = { traffic.observe($0) }
    configuration.http2ConnectionDebugInitializer = { traffic.observe($0) }
    if !access.serverName.isEmpty { configuration.dnsOverride = [access.serverName: access.server.host] }
    if let proxy = access.proxy {
      configuration.proxy =
        access.proxySpeaksSOCKS
        ? .socksServer(host: proxy.host, port: proxy.port) : .server(host: proxy.host, port: proxy.port)
    }
    client = HTTPClient(eventLoopGroupProvider: .shared(Self.group), configuration: configuration)
    self.configuration = configuration
    self.material = material
  }

  /// A client whose connections carry one answer at a time, HTTP/1.1. A server whose answer is not taken in time has to
  /// wait there; by HTTP/2 it sends eight megabytes ahead, in frames that keep several times as much memory.
  var clientForLongAnswers: HTTPClient {
    ordered.withLock { ordered in
      if let ordered { return ordered }
      var configuration = configuration
      configuration.httpVersion = .http1Only
      let client = HTTPClient(eventLoopGroupProvider: .shared(Self.group), configuration: configuration)
      ordered = client
      return client
    }
  }

  private var clients: [HTTPClient] { [client] + ordered.withLock { $0.map { [$0] } ?? [] } }

  /// Ends all connections, and waits until they have ended.
  func close() async {
    // The only failure there is: it was closed before.
    for client in clients { try? await client.shutdown() }
  }

  deinit {
    let clients = clients
    Task { for client in clients { try? await client.shutdown() } }
  }
}
