import CNI
import HTTPTypes
import HummingbirdCore
import IPAddressing
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Answers questions about the agent over HTTP. The agent routes whether or not this works.
struct HTTPService: Service {
  /// The answer to a path; nil where there is none.
  typealias Answers = @Sendable (_ path: String) async -> HTTPAnswer?

  let listen: ListenAddress
  let logger: Logger
  let answers: Answers
  /// How long it takes until a port that was taken is tried again.
  var retryInterval = Duration.seconds(30)

  /// Answers until the agent is stopped. A taken port is said once, and tried again.
  func run() async throws {
    // One thread: what is asked here is asked a few times a minute.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var isFailing = false
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do {
        let wasFailing = isFailing
        try await server(group) { isAnswering(after: wasFailing) }.run()
        break
      } catch {
        if !isFailing { logger.error("\(Self.explanation(error, listen))") }
        isFailing = true
      }
      // Ends early, and throws, when the agent is stopped: then the loop ends as well.
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: retryInterval) }
    }
    try await group.shutdownGracefully()
  }

  private func server(
    _ group: MultiThreadedEventLoopGroup, whenRunning: @escaping @Sendable () -> Void
  ) throws -> any Service {
    // Nobody who asks needs more than a few connections, and a stranger must not have the memory of more.
    let configuration = ServerConfiguration(
      address: .hostname("\(listen.address)", port: Int(listen.port)),
      availableConnectionsDelegate: MaximumAvailableConnections(32)
    )
    var quiet = logger
    // What goes wrong with single connections is the business of who asked.
    quiet.logLevel = max(logger.logLevel, .critical)
    return try HTTPServerBuilder.http1(configuration: .init(idleTimeout: .seconds(60))).buildServer(
      configuration: configuration,
      eventLoopGroup: group,
      logger: quiet,
      responder: { request, writer, _ in
        let full = await response(to: request)
        let response = request.method == .head ? full.createHeadResponse() : full
        try await writer.write(response: response.head, body: response.body)
      },
      onServerRunning: { _ in whenRunning() }
    )
  }

  private func isAnswering(after failure: Bool) {
    logger.log(level: failure ? .notice : .info, "answering on http://\(listen)")
  }

  private func response(to request: Request) async -> Response {
    guard request.method == .get || request.method == .head else {
      return Response(status: .methodNotAllowed, headers: [.allow: "GET, HEAD"])
    }
    guard let answer = await answers(request.uri.path) else {
      return text(.notFound, "there is /livez, /readyz, /status, /routes and /metrics\n", "text/plain")
    }
    return text(answer.isGood ? .ok : .serviceUnavailable, answer.text, answer.contentType)
  }

  private func text(_ status: HTTPResponse.Status, _ text: String, _ contentType: String) -> Response {
    Response(
      status: status,
      headers: [.contentType: contentType, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text))
    )
  }

  /// What is wrong and what to do about it.
  static func explanation(_ error: any Error, _ listen: ListenAddress) -> String {
    let advice = "; set listen (--listen) to another address, or to off; routes are programmed all the same"
    guard let code = (error as? IOError)?.errnoCode else { return "cannot answer on \(listen): \(error)" + advice }
    return switch code {
    case EADDRINUSE: "cannot answer on \(listen): port \(listen.port) is in use by another program" + advice
    case EADDRNOTAVAIL: "cannot answer on \(listen): this host has no address \(listen.address)" + advice
    default: "cannot answer on \(listen): \(systemReason(code))" + advice
    }
  }
}

/// What is told of one path.
struct HTTPAnswer: Sendable {
  var isGood = true
  var contentType = "text/plain"
  var text: String
}
