import Datastore
import DatastoreSettings
import EtcdMessages
import NIOCore
import NIOPosix
import SwiftProtobuf
import Synchronization

/// Speaks with a cluster: over one connection at a time, to the member that was found to work.
final class EtcdClient: Sendable {
  private struct State {
    var connection: GRPCConnection?
    var dialing: EventLoopFuture<GRPCConnection>?
    /// The member to ask next.
    var member = 0
    var token: String?
    var statistics = EtcdStatistics()
    var underWay = 0
  }

  let endpoints: [EtcdEndpoint]
  private let settings: EtcdSettings
  private let tls: EtcdTLS?
  private let group: MultiThreadedEventLoopGroup
  private let loop: any EventLoop
  private let dialer: EtcdDialer
  private let state = Mutex(State())

  /// A client; a connection is begun, and not waited for.
  init(_ settings: EtcdSettings, _ endpoints: [EtcdEndpoint], _ tls: EtcdTLS?) {
    self.settings = settings
    self.endpoints = endpoints
    self.tls = tls
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    loop = group.next()
    dialer = EtcdDialer(group: group, tls: tls)
    // Its failure is told to the first who asks for something.
    _ = dialing()
  }

  deinit {
    takeConnection()?.close()
    group.shutdownGracefully { _ in }
  }

  /// Ends the connection and the thread; nothing can be asked for afterwards.
  func close() async throws {
    takeConnection()?.close()
    try await group.shutdownGracefully()
  }

  /// The connection, for the last time: nothing can be done with it once the thread has ended.
  private func takeConnection() -> GRPCConnection? {
    state.withLock { state in
      defer { state.connection = nil }
      return state.connection
    }
  }

  // MARK: Statistics

  var statistics: EtcdStatistics { state.withLock { $0.statistics } }

  func resetStatistics() {
    state.withLock { $0.statistics = EtcdStatistics() }
  }

  func noteReceived(_ bytes: Int) {
    state.withLock { $0.statistics.bytesReceived += bytes }
  }

  private func noteBegin(_ bytes: Int) {
    state.withLock { state in
      state.statistics.requests += 1
      state.statistics.bytesSent += bytes
      if state.underWay == 0 { state.statistics.roundTrips += 1 }
      state.underWay += 1
    }
  }

  private func noteEnd(_ bytes: Int) {
    state.withLock { state in
      state.statistics.bytesReceived += bytes
      state.underWay -= 1
    }
  }

  // MARK: Connections

  /// The connection, or the attempt to make one that is under way.
  private func dialing() -> EventLoopFuture<GRPCConnection> {
    let promise = loop.makePromise(of: GRPCConnection.self)
    let (found, member) = state.withLock { state -> (EventLoopFuture<GRPCConnection>?, Int) in
      if let dialing = state.dialing { return (dialing, 0) }
      state.dialing = promise.futureResult
      return (nil, state.member)
    }
    if let found {
      // A promise has to be kept.
      promise.completeWith(found)
      return found
    }
    dialer.dial(endpoints, from: member, on: loop).whenComplete { [weak self] result in
      if let self {
        state.withLock { state in
          state.dialing = nil
          guard case .success(let (connection, member)) = result else { return }
          state.connection = connection
          state.member = member
          state.statistics.connections += 1
        }
      } else if case .success(let (connection, _)) = result {
        connection.close()
      }
      promise.completeWith(result.map(\.0))
    }
    return promise.futureResult
  }

  /// A connection that takes calls.
  func connection(_ deadline: Deadline) async throws(EtcdFailure) -> GRPCConnection {
    if let connection = state.withLock({ $0.connection }), connection.takesCalls { return connection }
    let made = loop.makePromise(of: GRPCConnection.self)
    made.completeWith(dialing())
    let timer =
      deadline == .distantFuture
      ? nil
      : loop.scheduleTask(in: .milliseconds(Int64(clamping: deadline.millisecondsLeft))) {
        made.fail(GRPCFailure(.deadline, mayHaveArrived: false))
      }
    defer { timer?.cancel() }
    do {
      return try await made.futureResult.get()
    } catch let error as EtcdDialer.Failures {
      throw EtcdFailure(error: Self.unreachable(error.failures), mayBeApplied: false)
    } catch {
      throw deadlineExceeded(mayBeApplied: false)
    }
  }

  /// Has the next call go to another member.
  func leave(_ connection: GRPCConnection) {
    state.withLock { state in
      guard state.connection === connection else { return }
      state.connection = nil
      state.member = (state.member + 1) % max(1, endpoints.count)
    }
  }

  private static func unreachable(_ failures: [EtcdDialer.Failure]) -> DatastoreError {
    var advice: [String] = []
    for failure in failures where !failure.advice.isEmpty && !advice.contains(failure.advice) {
      advice.append(failure.advice)
    }
    let texts = failures.map { "\($0.endpoint): \($0.text)" }
    return DatastoreError(
      .unavailable, "cannot connect to etcd at " + texts.joined(separator: "; "),
      advice: advice.joined(separator: "; "))
  }

  private func deadlineExceeded(mayBeApplied: Bool) -> EtcdFailure {
    // The text that Calico's own programs give (Calico IPAM specification, section 1.2).
    let members = endpoints.map(\.description).joined(separator: ", ")
    let error = DatastoreError(
      .unavailable, "context deadline exceeded", advice: "see whether the etcd cluster at \(members) is healthy")
    return EtcdFailure(error: error, mayBeApplied: mayBeApplied)
  }

  // MARK: Calls

  /// How a call that failed may be made again.
  enum Repetition {
    /// It changes nothing.
    case harmless
    /// Only when it is certain that it was not acted on.
    case whenNotApplied
  }

  /// Makes a call.
  ///
  /// - Parameters:
  ///   - path: the method.
  ///   - request: what is asked.
  ///   - subject: what is attempted on what, such as `read /calico/x`, for messages.
  ///   - repetition: when it may be made again.
  ///   - deadline: when to give up.
  /// - Returns: the answer.
  /// - Throws: ``EtcdFailure``.
  func call<Answer: Message>(
    _ path: String, _ request: some Message, for subject: String, _ repetition: Repetition, _ deadline: Deadline
  ) async throws(EtcdFailure) -> Answer {
    let message = encode(request)
    var attempts = 0
    var hasRenewed = false
    while true {
      attempts += 1
      if deadline.hasPassed { throw deadlineExceeded(mayBeApplied: false) }
      let connection = try await connection(deadline)
      let token = try await token(connection, deadline)
      let failure: GRPCFailure
      do throws(GRPCFailure) {
        return try decode(try await send(path, message, token, connection, deadline))
      } catch {
        failure = error
      }
      let mayRepeat = attempts < endpoints.count + 3 && !Task.isCancelled
      switch failure.cause {
      case .deadline: throw deadlineExceeded(mayBeApplied: failure.mayHaveArrived)
      case .lost(let text):
        if mayRepeat, !failure.mayHaveArrived || repetition == .harmless { continue }
        throw EtcdFailure(error: lost(text, subject), mayBeApplied: failure.mayHaveArrived)
      case .status(let status):
        let refusal = EtcdRefusal(status)
        switch refusal {
        case .sessionLost where !hasRenewed && hasUser:
          hasRenewed = true
          forget(token)
          continue
        case .retryElsewhere where mayRepeat, .inDoubt where mayRepeat && repetition == .harmless:
          leave(connection)
          // A cluster without a leader needs a moment to find one.
          if attempts >= endpoints.count { try? await Task.sleep(for: .milliseconds(200 * attempts)) }
          continue
        default:
          let mayBeApplied = refusal == .inDoubt
          throw EtcdFailure(error: words(status, refusal, subject), mayBeApplied: mayBeApplied, status: status)
        }
      }
    }
  }

  private func send(
    _ path: String, _ message: [UInt8], _ token: String?, _ connection: GRPCConnection, _ deadline: Deadline
  ) async throws(GRPCFailure) -> ByteBuffer {
    var request = GRPCRequest(path: path, deadline: deadline)
    if let token { request.metadata.append(("authorization", token)) }
    noteBegin(message.count)
    var received = 0
    defer { noteEnd(received) }
    let answer = try await connection.call(request, message)
    received = answer.readableBytes
    return answer
  }

  /// Opens the stream of watches.
  func openWatch(_ deadline: Deadline) async throws(EtcdFailure) -> (GRPCStream, GRPCConnection) {
    let connection = try await connection(deadline)
    var request = GRPCRequest(path: "/etcdserverpb.Watch/Watch")
    if let token = try await token(connection, deadline) { request.metadata.append(("authorization", token)) }
    // A member that has lost its leader must not leave a watch waiting.
    request.metadata.append(("hasleader", "true"))
    do throws(GRPCFailure) {
      noteBegin(0)
      defer { noteEnd(0) }
      return (try await connection.open(request), connection)
    } catch {
      throw EtcdFailure(error: lost(TransportText.describe(error), "watch"), mayBeApplied: false)
    }
  }

  private func encode(_ message: some Message) -> [UInt8] {
    // It cannot fail: no message of ours has required members or is of foreign making.
    (try? message.serializedBytes()) ?? []
  }

  private func decode<Answer: Message>(_ buffer: ByteBuffer) throws(GRPCFailure) -> Answer {
    do {
      return try Answer(serializedBytes: Array(buffer: buffer))
    } catch {
      let status = GRPCStatus(.internal, "an answer that cannot be understood: \(error)")
      throw GRPCFailure(.status(status), mayHaveArrived: true)
    }
  }

  // MARK: Sessions

  /// Who we are to the cluster, for messages.
  var caller: String {
    if hasUser { return "user \"\(settings.username)\"" }
    if let name = tls?.commonName { return "user \"\(name)\" (the certificate's CN)" }
    return "the caller without a user"
  }

  /// Whether there are user and password; one without the other counts for nothing.
  private var hasUser: Bool { !settings.username.isEmpty && !settings.password.isEmpty }

  /// The token of our session; nil when there is no user.
  private func token(_ connection: GRPCConnection, _ deadline: Deadline) async throws(EtcdFailure) -> String? {
    guard hasUser else { return nil }
    if let token = state.withLock({ $0.token }) { return token.isEmpty ? nil : token }
    var request = Etcdserverpb_AuthenticateRequest()
    request.name = settings.username
    request.password = settings.password
    do throws(GRPCFailure) {
      let answer = try await send(
        "/etcdserverpb.Auth/Authenticate", encode(request), nil, connection, deadline)
      let decoded: Etcdserverpb_AuthenticateResponse = try decode(answer)
      state.withLock { $0.token = decoded.token }
      return decoded.token
    } catch {
      return try tokenFailed(error)
    }
  }

  private func tokenFailed(_ failure: GRPCFailure) throws(EtcdFailure) -> String? {
    switch failure.cause {
    case .deadline: throw deadlineExceeded(mayBeApplied: false)
    case .lost(let text): throw EtcdFailure(error: lost(text, "log in"), mayBeApplied: false)
    // The cluster knows of no users, and asks for none.
    case .status(let status) where status.message.contains("authentication is not enabled"):
      state.withLock { $0.token = "" }
      return nil
    case .status(let status):
      throw EtcdFailure(error: words(status, EtcdRefusal(status), "log in"), mayBeApplied: false, status: status)
    }
  }

  /// Has the next call log in anew.
  ///
  /// - Returns: whether there is a session at all.
  func forgetSession() -> Bool {
    state.withLock { state in
      defer { state.token = nil }
      return hasUser && state.token?.isEmpty == false
    }
  }

  /// The same, for one token.
  private func forget(_ token: String?) {
    state.withLock { state in
      if state.token == token { state.token = nil }
    }
  }
}
