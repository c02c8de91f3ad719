import NIOCore
import NIOHPACK
import NIOHTTP2

/// A call that stays open and on which both sides send messages.
final class GRPCStream: Sendable {
  private let channel: any Channel
  private let inbox: GRPCInbox

  init(_ channel: any Channel, _ inbox: GRPCInbox) {
    self.channel = channel
    self.inbox = inbox
  }

  deinit {
    channel.close(promise: nil)
  }

  func send(_ messages: [[UInt8]]) {
    for message in messages {
      let frame = GRPCMessageDecoder.frame(message, channel.allocator)
      channel.write(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(frame))), promise: nil)
    }
    channel.flush()
  }

  /// Takes the messages that have come, and waits for one when there is none.
  ///
  /// - Returns: messages, at least one; nil when the task is cancelled.
  /// - Throws: ``GRPCFailure`` when the stream has ended.
  func receive() async throws(GRPCFailure) -> [ByteBuffer]? {
    guard let (messages, goesOn) = try await inbox.take() else { return nil }
    if goesOn {
      channel.setOption(ChannelOptions.autoRead, value: true).whenComplete { [channel] _ in channel.read() }
    }
    return messages
  }

  func close() {
    channel.close(promise: nil)
  }
}

/// The stream's end on the event loop.
final class GRPCStreamHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let headers: HPACKHeaders
  private let health: ConnectionHealth
  private let monitor: ConnectionMonitor
  private let inbox: GRPCInbox
  private var reading = GRPCAnswerReader()
  private var cause: String?

  init(_ headers: HPACKHeaders, _ health: ConnectionHealth, _ monitor: ConnectionMonitor, _ inbox: GRPCInbox) {
    self.headers = headers
    self.health = health
    self.monitor = monitor
    self.inbox = inbox
  }

  func handlerAdded(context: ChannelHandlerContext) {
    monitor.callBegan(isStream: true)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    endLost()
    monitor.callEnded(isStream: true)
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    monitor.heard()
    switch reading.read(unwrapInboundIn(data)) {
    case .nothing: break
    case .messages(let messages):
      guard inbox.append(messages) else { return }
      // It cannot fail: it is no more than a note in the channel.
      context.channel.setOption(ChannelOptions.autoRead, value: false).whenComplete { _ in }
    case .end(let status, let messages):
      _ = inbox.append(messages)
      inbox.end(GRPCFailure(.status(status), mayHaveArrived: true))
      context.close(promise: nil)
    case .broken(let text):
      inbox.end(GRPCFailure(.lost(text), mayHaveArrived: true))
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    cause = TransportText.describe(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    endLost()
    context.fireChannelInactive()
  }

  private func endLost() {
    inbox.end(GRPCFailure(.lost(health.cause ?? cause ?? "the stream was closed"), mayHaveArrived: true))
  }
}
