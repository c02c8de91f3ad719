import NIOCore
import NIOHTTP2

/// Watches over one connection: finds out when it is ready, lost, or silently dead.
///
/// A peer that vanished without a word is noticed by asking it for a sign of life (RFC 9113, section 6.7), which happens
/// only while somebody waits: a server may take pings on an idle connection for an attack.
final class ConnectionMonitor: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// When a peer is asked for a sign of life, and when it is given up.
  struct Pacing: Hashable, Sendable {
    /// How long nothing may be heard.
    var silence: TimeAmount
    /// How long the answer may take.
    var patience: TimeAmount

    /// While an answer is due: both together are the five seconds in which a failure must come to light.
    static let call = Pacing(silence: .seconds(2), patience: .seconds(3))
    /// While only streams are open, on which there may be nothing to tell for long.
    static let stream = Pacing(silence: .seconds(30), patience: .seconds(10))
  }

  /// Servers drop a connection that brings pings more often than every five seconds.
  private static let shortestInterval = TimeAmount.seconds(6)

  private let health: ConnectionHealth
  private var ready: EventLoopPromise<Void>?
  private var context: ChannelHandlerContext?
  private var calls = 0
  private var streams = 0
  private var lastHeard = NIODeadline.uptimeNanoseconds(0)
  private var lastPing: NIODeadline?
  private var isPingUnanswered = false
  private var check: Scheduled<Void>?
  private var isGoingAway = false

  /// - Parameters:
  ///   - health: is told of the end.
  ///   - ready: succeeds when the peer has shown that it speaks HTTP/2.
  init(_ health: ConnectionHealth, ready: EventLoopPromise<Void>) {
    self.health = health
    self.ready = ready
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    check?.cancel()
  }

  // MARK: Calls

  func callBegan(isStream: Bool) {
    if isStream { streams += 1 } else { calls += 1 }
    heard()
    scheduleCheck()
  }

  func callEnded(isStream: Bool) {
    if isStream { streams -= 1 } else { calls -= 1 }
    if calls + streams == 0, isGoingAway { context?.close(promise: nil) }
  }

  /// Something came from the peer.
  func heard() {
    lastHeard = .now()
    isPingUnanswered = false
  }

  // MARK: Signs of life

  private var pacing: Pacing? { calls > 0 ? .call : streams > 0 ? .stream : nil }

  private func scheduleCheck() {
    check?.cancel()
    guard let pacing, let context else { return }
    var next = lastHeard + pacing.silence
    if let lastPing {
      next = isPingUnanswered ? lastPing + pacing.patience : max(next, lastPing + Self.shortestInterval)
    }
    let monitor = NIOLoopBound(self, eventLoop: context.eventLoop)
    check = context.eventLoop.scheduleTask(deadline: next) { monitor.value.checkLife() }
  }

  private func checkLife() {
    guard let pacing, let context else { return }
    let now = NIODeadline.now()
    if let lastPing, isPingUnanswered {
      if now >= lastPing + pacing.patience {
        health.end("the server gave no sign of life for \((now - lastHeard).nanoseconds / 1_000_000_000) s")
        context.close(promise: nil)
        return
      }
    } else if now >= lastHeard + pacing.silence {
      lastPing = now
      isPingUnanswered = true
      let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 1), ack: false))
      context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
    }
    scheduleCheck()
  }

  // MARK: The connection

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    heard()
    switch unwrapInboundIn(data).payload {
    case .settings(.settings):
      ready?.succeed(())
      ready = nil
    case .goAway(_, let code, let text):
      isGoingAway = true
      let reason = text.map { String(buffer: $0) } ?? ""
      health.end("the server ended the connection (\(code)\(reason.isEmpty ? "" : ", \(reason)"))")
      if calls + streams == 0 { context.close(promise: nil) }
    default: break
    }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(TransportText.describe(error))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end("the server closed the connection")
    context.fireChannelInactive()
  }

  private func end(_ cause: String) {
    health.end(cause)
    ready?.fail(GRPCFailure(.lost(health.cause ?? cause), mayHaveArrived: false))
    ready = nil
  }
}
