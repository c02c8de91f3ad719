import AsyncHTTPClient
public import Datastore
public import DatastoreSettings
import NIOCore
import NIOHTTP1

/// A client of one API server, over HTTPS.
///
/// Requests at the same time share one connection where the server speaks HTTP/2. A process that ends soon need not
/// close the client.
///
/// A request is sent once, with these exceptions, in which the server has certainly not done it, or it does not matter
/// whether it has: one that met a connection which had just ended, or on which nothing comes any more, is sent over another
/// one, unless some of it had been sent and it is no `GET`; one that was answered with 401 is sent again if the token or
/// the certificate has been replaced meanwhile.
public final class KubernetesClient: KubernetesTransport {
  /// The server's URL, which tells clusters apart.
  public let server: String

  private let access: ServerAccess
  private let token: BearerToken
  private let connections: Connections
  private let traffic = Traffic()
  private let rate: RequestRate
  private let patience: Duration

  /// How long a server may say nothing to a request before its connection counts as dead: longer than it takes to elect
  /// another leader of its store, and short enough for a second attempt within the time of a call.
  static let patience = Duration.seconds(10)

  /// A client. Files are read here; the server is not asked anything yet.
  ///
  /// - Parameters:
  ///   - settings: where the server is, and who we are.
  ///   - environment: what a pod gives its processes, for settings that name no server.
  /// - Throws: ``KubernetesTransportError`` when the settings cannot be used.
  public convenience init(
    _ settings: KubernetesSettings, environment: KubernetesEnvironment = .process
  ) throws(KubernetesTransportError) {
    try self.init(settings, environment: environment, patience: Self.patience)
  }

  /// A client that takes a connection for dead after some time of silence.
  init(
    _ settings: KubernetesSettings, environment: KubernetesEnvironment = .process, patience: Duration
  ) throws(KubernetesTransportError) {
    self.patience = patience
    access = try ServerAccess(settings, environment)
    server = access.server.url
    token = BearerToken(access.token, file: access.tokenFile)
    _ = try token.current()
    connections = try Connections(access, traffic)
    rate = RequestRate(perSecond: settings.queriesPerSecond, burst: settings.burst)
  }

  /// What has been done so far.
  public var statistics: KubernetesStatistics { traffic.statistics }

  /// Ends all connections; what is under way fails.
  public func close() async {
    await connections.close()
  }

  public func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    let bearer = try token.current()
    let response = try await sendOnce(request, bearer: bearer, deadline: deadline)
    guard response.status == 401 else { return response }
    let replacement = token.replacement(of: bearer)
    guard replacement != nil || connections.renew() else { return try checked(response) }
    return try checked(try await sendOnce(request, bearer: replacement ?? bearer, deadline: deadline))
  }

  public func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    let bearer = try token.current()
    let stream = try await open(request, by: unit, bearer: bearer, idleTimeout: idleTimeout)
    guard case .refused(let response) = stream, response.status == 401 else { return stream }
    let replacement = token.replacement(of: bearer)
    guard replacement != nil || connections.renew() else { return .refused(try checked(response)) }
    let second = try await open(request, by: unit, bearer: replacement ?? bearer, idleTimeout: idleTimeout)
    guard case .refused(let response) = second else { return second }
    return .refused(try checked(response))
  }

  // MARK: One request

  private func sendOnce(
    _ request: KubernetesRequest, bearer: String, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    try await waitForTurn(deadline: deadline)
    var isRepetition = false
    while true {
      let pool = try connections.current()
      // Who has waited in vain once waits half as long for the second time.
      let exchange = Exchange(patience: TimeAmount(isRepetition ? patience / 2 : patience))
      let failure: any Error
      do {
        let message = try message(request, bearer: bearer)
        traffic.countRequest()
        let task = pool.client.execute(request: message, delegate: exchange, deadline: Self.moment(deadline))
        return try await withTaskCancellationHandler {
          try await task.get()
        } onCancel: {
          task.cancel()
        }
      } catch {
        failure = error
      }
      let wasSent = exchange.wasSent
      if wasSent, TransportFailure.isSilence(failure) { connections.retire(pool) }
      let isHarmless = !wasSent || request.method == .get || TransportFailure.isRefusedStream(failure)
      guard isHarmless, !isRepetition, !Task.isCancelled, !TransportFailure.isConnecting(failure), !deadline.hasPassed
      else {
        throw await TransportFailure(access: access, request: request, wasSent: wasSent).error(of: failure)
      }
      // The pool may take a moment to learn that its connection has ended.
      connections.retire(pool)
      isRepetition = true
    }
  }

  private func open(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, bearer: String, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    try await waitForTurn(deadline: .distantFuture)
    let pool = try connections.current()
    let feed = AnswerFeed(unit)
    let timeout = TimeAmount(idleTimeout)
    let answer: OpenAnswer
    do {
      let message = try message(request, bearer: bearer)
      traffic.countRequest()
      let client = unit == .pieces ? pool.clientForLongAnswers : pool.client
      let task = client.execute(request: message, delegate: feed)
      answer = OpenAnswer(task: task, feed: feed, pool: pool)
    } catch {
      throw await TransportFailure(access: access, request: request, wasSent: false).error(of: error)
    }
    let opening: AnswerFeed.Opening
    do {
      // A connection may have to be made first.
      opening = try await answer.whileWanted {
        try await feed.opening(timeout + ConnectionPool.connectTimeout, on: answer.task.eventLoop)
      }
    } catch {
      throw await explain(error, request, answer)
    }
    switch opening {
    case .refused(let response): return .refused(response)
    case .accepted:
      return .accepted { [self] () async throws(KubernetesTransportError) in
        do {
          return try await answer.whileWanted { try await feed.next(timeout, on: answer.task.eventLoop) }
        } catch {
          throw await explain(error, request, answer)
        }
      }
    }
  }

  private func explain(
    _ error: any Error, _ request: KubernetesRequest, _ answer: OpenAnswer
  ) async -> KubernetesTransportError {
    answer.task.cancel()
    if TransportFailure.isSilence(error) { connections.retire(answer.pool) }
    return await TransportFailure(access: access, request: request, wasSent: answer.feed.wasSent).error(of: error)
  }

  private func message(_ request: KubernetesRequest, bearer: String) throws -> HTTPClient.Request {
    var headers = HTTPHeaders()
    headers.add(name: "accept", value: request.accepts)
    headers.add(name: "user-agent", value: "swift-ipam")
    if !bearer.isEmpty {
      headers.add(name: "authorization", value: "Bearer \(bearer)")
    } else if !access.username.isEmpty {
      let pair = Base64Text.encode(Array("\(access.username):\(access.password)".utf8))
      headers.add(name: "authorization", value: "Basic \(pair)")
    }
    if !access.serverName.isEmpty { headers.add(name: "host", value: access.server.authority) }
    var body: HTTPClient.Body?
    if let bytes = request.body {
      let type = request.method == .patch ? "application/merge-patch+json" : "application/json"
      headers.add(name: "content-type", value: type)
      body = .byteBuffer(ByteBuffer(bytes: bytes))
    }
    let host = access.serverName.isEmpty ? access.server.host : access.serverName
    return try HTTPClient.Request(
      url: access.server.url(of: host) + request.path, method: HTTPMethod(rawValue: request.method.rawValue),
      headers: headers, body: body)
  }

  /// A refusal that our own certificate explains is one of the certificate.
  private func checked(_ response: KubernetesResponse) throws(KubernetesTransportError) -> KubernetesResponse {
    guard response.status == 401, let expiry = try connections.current().material?.expiry else { return response }
    throw KubernetesTransportError(
      .refusedCertificate, "the API server \(server) does not accept us: \(expiry)",
      advice: "renew it; a new one in the same file counts within a minute")
  }

  private func waitForTurn(deadline: Deadline) async throws(KubernetesTransportError) {
    guard let nanoseconds = rate.reserve(deadline: deadline) else {
      throw KubernetesTransportError(
        .unreachable, "no request to \(server) can be made within the time: the limit of requests a second is reached",
        advice: "raise the limit (qps and burst)")
    }
    guard nanoseconds > 0 else { return }
    do {
      try await Task.sleep(nanoseconds: nanoseconds)
    } catch {
      throw KubernetesTransportError(.unreachable, "nobody waits for an answer of \(server) any longer")
    }
  }

  /// Both count nanoseconds of the monotonic clock.
  private static func moment(_ deadline: Deadline) -> NIODeadline {
    .uptimeNanoseconds(min(deadline.nanoseconds, UInt64(Int64.max)))
  }
}

/// An answer that is under way; the connection is told when nobody holds it any longer.
private final class OpenAnswer: Sendable {
  let task: HTTPClient.Task<Void>
  let feed: AnswerFeed
  let pool: ConnectionPool

  init(task: HTTPClient.Task<Void>, feed: AnswerFeed, pool: ConnectionPool) {
    self.task = task
    self.feed = feed
    self.pool = pool
  }

  deinit { task.cancel() }

  /// Waits for something of the feed, and ends the answer when the waiting task is cancelled.
  func whileWanted<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    try await withTaskCancellationHandler {
      try await body()
    } onCancel: {
      feed.cancel()
      task.cancel()
    }
  }
}
