import NIOCore
import NIOHPACK
import NIOHTTP2

/// One HTTP/2 connection to a server, on which any number of calls are made at once.
final class GRPCConnection: Sendable {
  private let channel: any Channel
  private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
  private let health: ConnectionHealth
  private let monitor: NIOLoopBound<ConnectionMonitor>
  private let scheme: String
  private let authority: String

  /// Puts the handlers into the pipeline of a channel that is about to connect; on its event loop.
  ///
  /// - Parameters:
  ///   - channel: the channel; TLS is in its pipeline already.
  ///   - scheme: `http` or `https`.
  ///   - authority: the server's name, as requests carry it.
  ///   - ready: succeeds when the server has shown that it speaks HTTP/2.
  /// - Throws: what keeps the handlers from being put there.
  init(_ channel: any Channel, scheme: String, authority: String, ready: EventLoopPromise<Void>) throws {
    self.channel = channel
    self.scheme = scheme
    self.authority = authority
    health = ConnectionHealth()
    let monitor = ConnectionMonitor(health, ready: ready)
    let pipeline = channel.pipeline.syncOperations
    multiplexer = try pipeline.configureHTTP2Pipeline(
      mode: .client, connectionConfiguration: Self.connectionConfiguration,
      streamConfiguration: Self.streamConfiguration
    ) { stream in stream.close() }
    try pipeline.addHandler(monitor)
    self.monitor = NIOLoopBound(monitor, eventLoop: channel.eventLoop)
  }

  /// A window of a megabyte: a listing of many blocks must not wait for us after every 64 KiB.
  private static let window = 1 << 20

  private static var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
    configuration.initialSettings = [
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: window),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 16 * 1024),
    ]
    configuration.targetWindowSize = 4 * window
    // Servers in Go measure the connection with a PING for about every request that they get.
    configuration.controlFrameRateLimit.maximumCount = .max
    return configuration
  }

  private static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
    var configuration = NIOHTTP2Handler.StreamConfiguration()
    configuration.targetWindowSize = window
    return configuration
  }

  /// Whether new calls may be made.
  var takesCalls: Bool { channel.isActive && health.takesCalls }

  /// Makes a call with one request and one answer.
  ///
  /// - Parameters:
  ///   - request: what is asked for; its deadline is the call's.
  ///   - message: the request's message.
  /// - Returns: the answer's message.
  /// - Throws: ``GRPCFailure``. A task that is cancelled gives the call up, which counts as lost.
  func call(_ request: GRPCRequest, _ message: [UInt8]) async throws(GRPCFailure) -> ByteBuffer {
    let answer = channel.eventLoop.makePromise(of: ByteBuffer.self)
    let headers = request.headers(scheme: scheme, authority: authority)
    let timeLeft = request.timeLeft
    let opened = channel.eventLoop.makePromise(of: (any Channel).self)
    multiplexer.createStreamChannel(promise: opened) { [health, monitor] stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandler(
          GRPCUnaryCall(headers, message, timeLeft, health, monitor.value, answer))
      }
    }
    opened.futureResult.whenFailure { [health] error in
      let text = health.cause ?? TransportText.describe(error)
      answer.fail(GRPCFailure(.lost(text), mayHaveArrived: false))
    }
    do {
      return try await withTaskCancellationHandler {
        try await answer.futureResult.get()
      } onCancel: {
        opened.futureResult.whenSuccess { $0.close(promise: nil) }
      }
    } catch {
      throw error as? GRPCFailure ?? GRPCFailure(.lost("\(error)"), mayHaveArrived: true)
    }
  }

  /// Opens a call on which both sides send messages.
  ///
  /// - Throws: ``GRPCFailure`` when the connection is lost.
  func open(_ request: GRPCRequest) async throws(GRPCFailure) -> GRPCStream {
    let inbox = GRPCInbox()
    let headers = request.headers(scheme: scheme, authority: authority)
    let opened = channel.eventLoop.makePromise(of: (any Channel).self)
    multiplexer.createStreamChannel(promise: opened) { [health, monitor] stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandler(GRPCStreamHandler(headers, health, monitor.value, inbox))
      }
    }
    do {
      return GRPCStream(try await opened.futureResult.get(), inbox)
    } catch {
      throw GRPCFailure(.lost(health.cause ?? TransportText.describe(error)), mayHaveArrived: false)
    }
  }

  func close() {
    health.end("the connection was closed by this program")
    channel.close(promise: nil)
  }
}
