import NIOCore
import NIOPosix
import Synchronization

/// A relay between a store and its server that fails when it is told to.
final class FaultyProxy: Sendable {
  enum Fault: Hashable, Sendable {
    case none
    /// What the client says next does not arrive, and the connection is cut.
    case cutBeforeServer
    /// What the client says next arrives, and instead of the answer the connection is cut.
    case cutAfterServer
    /// Nothing arrives any more, in either direction, and nobody is told.
    case silence
  }

  /// What the relay does at present.
  final class Control: Sendable {
    private struct State {
      var fault = Fault.none
      var delay = TimeAmount.zero
      var connections: [any Channel] = []
    }

    private let state = Mutex(State())

    var fault: Fault { state.withLock { $0.fault } }
    var delay: TimeAmount { state.withLock { $0.delay } }
    /// How many connections there are, to either side.
    var connections: Int { state.withLock { $0.connections.count } }

    func set(_ fault: Fault) {
      state.withLock { $0.fault = fault }
    }

    func set(_ delay: TimeAmount) {
      state.withLock { $0.delay = delay }
    }

    func note(_ channel: any Channel) {
      state.withLock { $0.connections.append(channel) }
    }

    /// Cuts all connections; the fault is over.
    func cut() {
      let connections = state.withLock { state in
        defer {
          state.connections = []
          state.fault = .none
        }
        return state.connections
      }
      for connection in connections { connection.close(promise: nil) }
    }
  }

  let control = Control()
  let port: Int
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  /// A relay to a port of the loopback.
  init(to server: Int) async throws {
    let listener = try await ServerBootstrap(group: group)
      .childChannelInitializer { [control, group] client in
        control.note(client)
        return ClientBootstrap(group: group).connect(host: "127.0.0.1", port: server).flatMapThrowing { server in
          control.note(server)
          let (one, other) = (Relay(server, control, isClient: true), Relay(client, control, isClient: false))
          try client.pipeline.syncOperations.addHandler(one)
          try server.pipeline.syncOperations.addHandler(other)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listener.localAddress?.port ?? 0
  }

  deinit {
    group.shutdownGracefully { _ in }
  }
}

/// Passes on what one side says.
private final class Relay: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let control: FaultyProxy.Control
  private let isClient: Bool

  init(_ other: any Channel, _ control: FaultyProxy.Control, isClient: Bool) {
    self.other = other
    self.control = control
    self.isClient = isClient
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    switch (control.fault, isClient) {
    case (.silence, _): return
    case (.cutBeforeServer, true):
      control.cut()
      return
    case (.cutAfterServer, true):
      // By then the server has done what it was asked.
      context.eventLoop.scheduleTask(in: .milliseconds(400)) { [control] in control.cut() }
    case (.cutAfterServer, false): return
    default: break
    }
    if control.delay == .zero {
      other.writeAndFlush(bytes, promise: nil)
    } else {
      context.eventLoop.scheduleTask(in: control.delay) { [other] in other.writeAndFlush(bytes, promise: nil) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
  }
}
