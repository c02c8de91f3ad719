import NIOCore
import Synchronization

/// Counts what happens on all connections of a client.
final class Traffic: Sendable {
  let requests = Atomic<UInt64>(0)
  let connections = Atomic<UInt64>(0)
  let bytesReceived = Atomic<UInt64>(0)
  let bytesSent = Atomic<UInt64>(0)

  var statistics: KubernetesStatistics {
    var statistics = KubernetesStatistics()
    statistics.requests = requests.load(ordering: .relaxed)
    statistics.connections = connections.load(ordering: .relaxed)
    statistics.bytesReceived = bytesReceived.load(ordering: .relaxed)
    statistics.bytesSent = bytesSent.load(ordering: .relaxed)
    return statistics
  }

  func countRequest() { requests.add(1, ordering: .relaxed) }

  /// Counts a connection, and what goes over it from now on.
  func observe(_ channel: any Channel) -> EventLoopFuture<Void> {
    connections.add(1, ordering: .relaxed)
    return channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(TrafficCounter(self), position: .first)
    }
  }
}

/// Counts the bytes of one connection as they come from the network and go to it.
private final class TrafficCounter: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer

  private let traffic: Traffic

  init(_ traffic: Traffic) { self.traffic = traffic }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    traffic.bytesReceived.add(UInt64(unwrapInboundIn(data).readableBytes), ordering: .relaxed)
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    traffic.bytesSent.add(UInt64(unwrapOutboundIn(data).readableBytes), ordering: .relaxed)
    context.write(data, promise: promise)
  }
}
