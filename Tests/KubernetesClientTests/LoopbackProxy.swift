import NIOCore
import NIOPosix
import Synchronization

/// A proxy for TCP on loopback that stands between a client and a server, and does what networks do.
final class LoopbackProxy: Sendable {
  /// What happens to bytes.
  enum Behaviour: Hashable, Sendable {
    case forwards
    /// They are taken and never arrive, in either direction; connections stay.
    case swallows
    /// What the client sends arrives, and the connection ends when the server answers.
    case cutsAnswers
  }

  private struct State {
    var behaviour = Behaviour.forwards
    var connections: [any Channel] = []
    var accepted = 0
    /// How many of the connections, the first ones, carry nothing any more.
    var silenced = 0
  }

  static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private let listener: any Channel
  private let state: SharedState

  /// Starts one on a free port.
  static func start(to port: Int, on host: String = "127.0.0.1") async throws -> LoopbackProxy {
    let state = SharedState()
    let listener = try await ServerBootstrap(group: group)
      .childChannelInitializer { client in
        let number = state.accept(client)
        return ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).flatMap { server in
          client.eventLoop.makeCompletedFuture {
            try client.pipeline.syncOperations.addHandler(Relay(number, to: server, state: state, isAnswer: false))
            try server.pipeline.syncOperations.addHandler(Relay(number, to: client, state: state, isAnswer: true))
          }
        }
      }
      .bind(host: host, port: 0).get()
    return LoopbackProxy(listener: listener, state: state)
  }

  private init(listener: any Channel, state: SharedState) {
    self.listener = listener
    self.state = state
    port = listener.localAddress?.port ?? 0
  }

  let port: Int
  /// How many connections there have been.
  var accepted: Int { state.accepted }

  /// From now on, for the connections that there are as well.
  func behave(_ behaviour: Behaviour) { state.behave(behaviour) }

  /// From now on the connections that there are stay and carry nothing; new ones do.
  func silence() { state.silence() }

  /// Ends the connections that there are.
  func cut() async {
    for connection in state.connections { try? await connection.close() }
  }

  func stop() async {
    await cut()
    try? await listener.close()
  }

  /// What all connections know.
  final class SharedState: Sendable {
    private let state = Mutex(State())

    var behaviour: Behaviour { state.withLock { $0.behaviour } }
    var connections: [any Channel] { state.withLock { $0.connections } }
    var accepted: Int { state.withLock { $0.accepted } }

    func behave(_ behaviour: Behaviour) { state.withLock { $0.behaviour = behaviour } }

    func silence() { state.withLock { $0.silenced = $0.accepted } }

    func isSilenced(_ number: Int) -> Bool { state.withLock { number <= $0.silenced } }

    /// Takes a connection, and gives it its number, from 1 on.
    func accept(_ channel: any Channel) -> Int {
      state.withLock { state in
        state.connections.append(channel)
        state.accepted += 1
        return state.accepted
      }
    }
  }

  /// One direction of one connection. A connection that was made while bytes were swallowed is not mended later.
  private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let number: Int
    private let destination: any Channel
    private let state: SharedState
    private let isAnswer: Bool
    private var isDeaf = false

    init(_ number: Int, to destination: any Channel, state: SharedState, isAnswer: Bool) {
      self.number = number
      self.destination = destination
      self.state = state
      self.isAnswer = isAnswer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch state.behaviour {
      case .swallows: isDeaf = true
      case .cutsAnswers where isAnswer:
        destination.close(promise: nil)
        context.close(promise: nil)
        return
      default: break
      }
      guard !isDeaf, !state.isSilenced(number) else { return }
      destination.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      destination.close(promise: nil)
    }
  }
}

/// A server that answers whatever comes with the same text.
final class ScriptedServer: Sendable {
  private let listener: any Channel
  private let received: Received

  static func start(_ answer: String) async throws -> ScriptedServer {
    let received = Received()
    let bytes = ByteBuffer(string: answer)
    let listener = try await ServerBootstrap(group: LoopbackProxy.group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Answerer(bytes, received))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return ScriptedServer(listener: listener, received: received)
  }

  private init(listener: any Channel, received: Received) {
    self.listener = listener
    self.received = received
  }

  var url: String { "http://127.0.0.1:\(listener.localAddress?.port ?? 0)" }
  /// What has come so far.
  var requests: String { received.text.withLock { $0 } }

  func stop() async { try? await listener.close() }

  private final class Received: Sendable {
    let text = Mutex("")
  }

  private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: ByteBuffer
    private let received: Received

    init(_ answer: ByteBuffer, _ received: Received) {
      self.answer = answer
      self.received = received
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data))
      received.text.withLock { $0 += text }
      context.writeAndFlush(NIOAny(answer), promise: nil)
    }
  }
}
