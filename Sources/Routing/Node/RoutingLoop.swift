public import Netlink
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A thread that does the routing of a node: it sleeps until the source tells something, the kernel does, or something is
/// due. All methods may be called from any thread.
public final class RoutingLoop: Sendable {
  /// What the thread tells while it runs. It is called on that thread, and must not block it.
  public struct Listener: Sendable {
    /// The source is to list everything anew (``RouteSource/refresh()``).
    public var refresh: @Sendable () -> Void
    /// What began to be wrong, or ended (nil).
    public var conditionsChanged: @Sendable ([Condition.Subject: Condition?]) -> Void
    /// A pass is over.
    public var passed: @Sendable (RoutingStatus) -> Void

    public init(
      refresh: @escaping @Sendable () -> Void = {},
      conditionsChanged: @escaping @Sendable ([Condition.Subject: Condition?]) -> Void = { _ in },
      passed: @escaping @Sendable (RoutingStatus) -> Void = { _ in }
    ) {
      self.refresh = refresh
      self.conditionsChanged = conditionsChanged
      self.passed = passed
    }
  }

  /// What is to be done on the thread.
  private enum Command: Sendable {
    case resync
    case confirmDeletions
    case plan(@Sendable (Result<NodePlan, NetlinkError>) -> Void)
    /// Answered when everything that was told before has been programmed.
    case sync(@Sendable (RoutingStatus) -> Void)
  }

  private struct Mailbox: Sendable {
    var events: [RouteSourceEvent] = []
    var commands: [Command] = []
    var isStopped = false
    var isOver = false
  }

  private let configuration: RoutingConfiguration
  private let listener: Listener
  private let settings: HostSettings
  private let mailbox = Mutex(Mailbox())
  private let latest = Mutex(RoutingStatus())
  private let wakeup: Wakeup

  /// A loop that does not run yet.
  ///
  /// - Parameters:
  ///   - configuration: how to route.
  ///   - settings: of this machine, which are looked at.
  ///   - listener: is told what happens.
  /// - Throws: ``NetlinkError/Code/unusable`` when the process has no descriptors left.
  public init(
    _ configuration: RoutingConfiguration, settings: HostSettings = .unknown, listener: Listener = Listener()
  ) throws(NetlinkError) {
    guard let wakeup = Wakeup() else { throw NetlinkError(.unusable, "make an event descriptor", errno: errno) }
    self.configuration = configuration
    self.settings = settings
    self.listener = listener
    self.wakeup = wakeup
  }

  /// How it goes, as of the last pass.
  public var status: RoutingStatus { latest.withLock { $0 } }

  /// Hands over what the source tells; false once the loop is stopped.
  public func tell(_ event: RouteSourceEvent) -> Bool {
    let isOpen = mailbox.withLock { box in
      if !box.isStopped { box.events.append(event) }
      return !box.isStopped
    }
    wakeup.signal()
    return isOpen
  }

  /// Asks for a full look at the kernel's tables, at most one in five seconds.
  public func requestResync() { post(.resync) }

  /// Takes the operator's word for removals that are held back.
  public func confirmDeletions() { post(.confirmDeletions) }

  /// Asks what there should be and what there is, and why. Fails while the kernel cannot be asked, and once the loop
  /// is stopped.
  public func plan(_ reply: @escaping @Sendable (Result<NodePlan, NetlinkError>) -> Void) {
    let isOpen = mailbox.withLock { box in
      if !box.isStopped { box.commands.append(.plan(reply)) }
      return !box.isStopped
    }
    if isOpen { wakeup.signal() } else { reply(.failure(Self.stopped)) }
  }

  /// Asks to be told when everything that the source has told is programmed, as far as it can be now. It takes a snapshot
  /// at least. Not answered once the loop is stopped.
  public func sync(_ reply: @escaping @Sendable (RoutingStatus) -> Void) { post(.sync(reply)) }

  private func post(_ command: Command) {
    mailbox.withLock { $0.commands.append(command) }
    wakeup.signal()
  }

  /// Ends the loop after the present pass. Everything stays in the kernel as it is.
  public func stop() {
    mailbox.withLock { $0.isStopped = true }
    wakeup.signal()
  }

  /// Routes on the calling thread until ``stop()``.
  ///
  /// - Parameter kernel: makes the kernel's tables accessible, on this thread, and names the descriptor that events are
  ///   read from. It is tried again while it fails.
  public func run<K: Kernel>(_ kernel: () throws(NetlinkError) -> (K, events: CInt)) {
    defer {
      refusePlans(Self.stopped)
      mailbox.withLock { $0.isOver = true }
    }
    var failures = 0
    while !mailbox.withLock(\.isStopped) {
      do throws(NetlinkError) {
        let (kernel, events) = try kernel()
        listener.conditionsChanged([Self.sockets: nil])
        return route(NodeRouting(configuration, kernel: kernel, settings: settings), events)
      } catch {
        failures += 1
        let condition = Condition(
          "\(error.attempt) failed (\(error.errno.errorName)); nothing is routed before it succeeds")
        listener.conditionsChanged([Self.sockets: condition])
        // Whoever asks must not wait for sockets that may never be had.
        refusePlans(error)
        wakeup.wait(or: nil, atMost: Backoff.pause(afterFailures: failures, atMost: .seconds(30)))
      }
    }
  }

  /// Answers those who asked for a plan, and keeps everything else for later.
  private func refusePlans(_ error: NetlinkError) {
    let refused = mailbox.withLock { box in
      var replies: [@Sendable (Result<NodePlan, NetlinkError>) -> Void] = []
      box.commands.removeAll { command in
        guard case .plan(let reply) = command else { return false }
        replies.append(reply)
        return true
      }
      return replies
    }
    for reply in refused { reply(.failure(error)) }
  }

  private static let stopped = NetlinkError(.unusable, "ask a routing loop that has been stopped")

  private static let sockets = Condition.Subject(.refused, "netlink sockets")

  private func route<K: Kernel>(_ routing: NodeRouting<K>, _ descriptor: CInt) {
    var waiting: [@Sendable (RoutingStatus) -> Void] = []
    while true {
      let (events, commands, isStopped) = mailbox.withLock { box in
        defer {
          box.events = []
          box.commands = []
        }
        return (box.events, box.commands, box.isStopped)
      }
      if isStopped {
        for case .plan(let reply) in commands { reply(.failure(Self.stopped)) }
        return
      }
      let start = Moment.now
      for event in events { routing.receive(event, at: start) }
      let plans = obey(commands, routing, &waiting)
      let report = pass(routing, since: start)
      for reply in plans { reply(Self.result { () throws(NetlinkError) in try routing.explainedPlan(at: .now) }) }
      answer(&waiting, report)
      let pause = report.nextWake.map { $0 - .now }
      wakeup.wait(or: descriptor, atMost: pause)
    }
  }

  private func obey<K: Kernel>(
    _ commands: [Command], _ routing: NodeRouting<K>, _ waiting: inout [@Sendable (RoutingStatus) -> Void]
  ) -> [@Sendable (Result<NodePlan, NetlinkError>) -> Void] {
    var plans: [@Sendable (Result<NodePlan, NetlinkError>) -> Void] = []
    for command in commands {
      switch command {
      case .resync: routing.requestResync(at: .now)
      case .confirmDeletions: routing.confirmDeletions()
      case .plan(let reply): plans.append(reply)
      case .sync(let reply): waiting.append(reply)
      }
    }
    return plans
  }

  /// A pass, which counts from when it began to take over what it was told.
  private func pass<K: Kernel>(_ routing: NodeRouting<K>, since start: Moment) -> ReconcileReport {
    let report = routing.pass(at: .now)
    var status = routing.status
    status.lastPass = .now - start
    latest.withLock { $0 = status }
    if !report.conditions.isEmpty { listener.conditionsChanged(report.conditions) }
    if report.wantsSnapshot { listener.refresh() }
    listener.passed(status)
    return report
  }

  /// Answers who waits for everything to be programmed: nothing is due within the time that inputs are collected in.
  private func answer(_ waiting: inout [@Sendable (RoutingStatus) -> Void], _ report: ReconcileReport) {
    guard !waiting.isEmpty, status.isInSync, report.nextWake.map({ $0 > .now + .milliseconds(200) }) ?? true else {
      return
    }
    for reply in waiting { reply(status) }
    waiting = []
  }

  private static func result<Value>(_ body: () throws(NetlinkError) -> Value) -> Result<Value, NetlinkError> {
    do throws(NetlinkError) { return .success(try body()) } catch { return .failure(error) }
  }
}

extension RoutingLoop {
  /// Routes on a thread of its own, which ends with ``stop()``. It is in the network namespace of the caller.
  ///
  /// - Returns: false when no thread could be made.
  @discardableResult
  public func start<K: Kernel & SendableMetatype>(
    _ kernel: @escaping @Sendable () throws(NetlinkError) -> (K, events: CInt)
  ) -> Bool {
    let body = ThreadBody { self.run(kernel) }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(body).toOpaque()
    let result = pthread_create(&thread, nil, ThreadBody.main, argument)
    guard result == 0 else {
      Unmanaged<ThreadBody>.fromOpaque(argument).release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  /// Whether the loop has ended.
  public var isOver: Bool { mailbox.withLock(\.isOver) }
}

/// What a thread does.
private final class ThreadBody: Sendable {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
    // The retain of the creator is taken over.
    if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body() }
    return nil
  }
}
