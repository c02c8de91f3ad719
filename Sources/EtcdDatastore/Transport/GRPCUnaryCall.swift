import NIOCore
import NIOHPACK
import NIOHTTP2

/// One request and its answer, on a stream of their own.
final class GRPCUnaryCall: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let headers: HPACKHeaders
  private let message: [UInt8]
  private let timeLeft: TimeAmount?
  private let health: ConnectionHealth
  private let monitor: ConnectionMonitor
  private var answer: EventLoopPromise<ByteBuffer>?
  private var timer: Scheduled<Void>?
  private var reading = GRPCAnswerReader()
  private var received: ByteBuffer?
  private var isSent = false
  private var isRefused = false
  private var cause: String?

  init(
    _ headers: HPACKHeaders, _ message: [UInt8], _ timeLeft: TimeAmount?, _ health: ConnectionHealth,
    _ monitor: ConnectionMonitor, _ answer: EventLoopPromise<ByteBuffer>
  ) {
    self.headers = headers
    self.message = message
    self.timeLeft = timeLeft
    self.health = health
    self.monitor = monitor
    self.answer = answer
  }

  func handlerAdded(context: ChannelHandlerContext) {
    monitor.callBegan(isStream: false)
    guard let timeLeft else { return }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: timeLeft) {
      let (call, context) = bound.value
      call.end(.failure(GRPCFailure(.deadline, mayHaveArrived: call.isSent)))
      context.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    endLost()
    monitor.callEnded(isStream: false)
  }

  func channelActive(context: ChannelHandlerContext) {
    let frame = GRPCMessageDecoder.frame(message, context.channel.allocator)
    isSent = true
    context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    context.writeAndFlush(
      wrapOutboundOut(.data(.init(data: .byteBuffer(frame), endStream: true))), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    monitor.heard()
    switch reading.read(unwrapInboundIn(data)) {
    case .messages(let messages):
      if let message = messages.last { received = message }
    case .end(let status, let messages):
      let message = messages.last ?? received
      if status.code != .ok {
        end(.failure(GRPCFailure(.status(status), mayHaveArrived: true)))
      } else if let message {
        end(.success(message))
      } else {
        end(.failure(GRPCFailure(.status(GRPCStatus(.internal, "an answer without a message")), mayHaveArrived: true)))
      }
    case .broken(let text):
      end(.failure(GRPCFailure(.lost(text), mayHaveArrived: true)))
      context.close(promise: nil)
    case .nothing: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A stream that the server had not begun to look at: by RST_STREAM, or beyond the last one of GOAWAY.
    if let error = error as? NIOHTTP2Errors.StreamClosed, error.errorCode == .refusedStream { isRefused = true }
    cause = TransportText.describe(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    endLost()
    context.fireChannelInactive()
  }

  private func endLost() {
    let text = health.cause ?? cause ?? "the stream was closed"
    end(.failure(GRPCFailure(.lost(text), mayHaveArrived: isSent && !isRefused)))
  }

  private func end(_ result: Result<ByteBuffer, GRPCFailure>) {
    timer?.cancel()
    switch result {
    case .success(let message): answer?.succeed(message)
    case .failure(let failure): answer?.fail(failure)
    }
    answer = nil
  }
}
