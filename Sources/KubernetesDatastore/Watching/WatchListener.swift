import CalicoModel
import Datastore
import KubernetesClient

/// Listens to one feed: lists, then watches, and goes on from where it was when the connection ends.
struct WatchListener: Sendable {
  let store: KubernetesDatastore
  let feed: WatchFeed
  let mailbox: WatchMailbox

  /// Up to which version everything was told; nil when that is not known any more.
  private var position: String?
  /// The entries that were told as deleted, and whose objects have not gone yet.
  private var halfDeleted: Set<Key> = []
  /// What was told of nodes: kubelets report every few minutes without saying anything new.
  private var told: [Key: [UInt8]] = [:]
  private var failures = WatchFailures()

  init(_ store: KubernetesDatastore, _ feed: WatchFeed, _ mailbox: WatchMailbox, from cursor: WatchCursor?) {
    self.store = store
    self.feed = feed
    self.mailbox = mailbox
    position = feed.position(in: cursor)
  }

  /// How long the server keeps a watch open, and how much longer it may say nothing until the connection counts as
  /// dead; in seconds. Streams that end regularly cost little and show that the server is there.
  private static let lifetime = 90...120
  private static let patience = 15
  /// How long a list may take.
  private static let listMilliseconds: UInt64 = 60_000
  /// How long to wait for a definition to be installed.
  private static let definitionPause = Duration.seconds(10)

  /// How long to wait after a watch that told nothing at all.
  private static let emptyPause = Duration.milliseconds(500)

  /// Why listening is interrupted.
  private enum Interruption: Error {
    /// What was told before cannot be followed any more.
    case expired
    /// It may work later.
    case retry(DatastoreError)
    /// It will not.
    case final(DatastoreError)
  }

  /// Listens until the task is cancelled, or what went wrong will not right itself.
  consuming func run() async {
    var listener = self
    while !Task.isCancelled {
      do throws(Interruption) {
        try await listener.listen()
      } catch {
        switch error {
        case .expired: listener.position = nil
        case .retry(let error):
          guard let pause = listener.failures.pause() else { return listener.mailbox.fail(error) }
          try? await Task.sleep(for: pause)
        case .final(let error): return listener.mailbox.fail(error)
        }
      }
    }
  }

  private mutating func listen() async throws(Interruption) {
    let form: EntryForm
    do throws(DatastoreError) {
      try store.requireSupport(of: .init(feed), "a watch")
      form = try await store.form(deadline: .after(milliseconds: Self.listMilliseconds))
      if position == nil { try await list(form) }
    } catch {
      throw error.code == .unavailable ? .retry(error) : .final(error)
    }
    guard let position else {
      // There is no such collection; perhaps there will be.
      try? await Task.sleep(for: Self.definitionPause)
      return
    }
    try await watch(form, from: position)
  }

  // MARK: - Lists

  private mutating func list(_ form: EntryForm) async throws(DatastoreError) {
    let feed = feed
    let target = RequestTarget(verb: "list", kind: feed.kind, name: nil, group: form.group)
    var entries: [DecodedEntry] = []
    let found = try await store.objects(
      feed.kind.path(in: form.group), fieldSelector: feed.fieldSelector, target,
      deadline: .after(milliseconds: Self.listMilliseconds)
    ) { object throws(ObjectError) in
      if let entry = try feed.decode(object, form), !entry.isDeleted { entries.append(entry) }
    }
    let version = found ?? ""
    for entry in entries { store.remember(entry, keepsBody: false) }
    halfDeleted = []
    told = [:]
    for entry in entries where feed.kind.isCore { told[entry.key] = entry.bytes }
    let revision = Revision(version.isEmpty ? "0" : version)
    switch feed.subject {
    case .kind(let kind):
      let items = entries.map { ListResult.Item(key: $0.key, stored: $0.stored) }
      mailbox.put(snapshot: KubernetesDatastore.inPathOrder(items), of: kind, revision)
    case .key(let key):
      mailbox.put([(key, entries.first?.stored)], of: feed.subject, revision)
    case .keys(let keys):
      let found = Dictionary(entries.map { ($0.key, $0.stored) }) { $1 }
      mailbox.put(keys.map { ($0, found[$0]) }, of: feed.subject, revision)
    }
    position = version.isEmpty ? nil : version
  }

  // MARK: - Watches

  private mutating func watch(_ form: EntryForm, from version: String) async throws(Interruption) {
    let target = RequestTarget(verb: "watch", kind: feed.kind, name: nil, group: form.group)
    let lifetime = Int.random(in: Self.lifetime)
    let path = ResourcePath.query(
      feed.kind.path(in: form.group),
      [
        ("watch", "1"), ("resourceVersion", version), ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", String(lifetime)), ("fieldSelector", feed.fieldSelector),
      ])
    let request = KubernetesRequest(.get, path)
    let stream: KubernetesStream
    do throws(KubernetesTransportError) {
      stream = try await store.server.transport.stream(
        request, by: .lines, idleTimeout: .seconds(lifetime + Self.patience))
    } catch {
      throw Self.interruption(error)
    }
    switch stream {
    case .refused(let response): throw Self.interruption(ServerStatus(response.status, response.body), target)
    case .accepted(let next):
      var isEmpty = true
      while let lines = try await Self.lines(next) {
        isEmpty = false
        failures.reset()
        try take(lines, form, target)
        await mailbox.waitForRoom()
      }
      // A server that hangs up at once is not asked without a pause.
      if isEmpty { try? await Task.sleep(for: Self.emptyPause) }
    }
  }

  private static func lines(
    _ next: @Sendable () async throws(KubernetesTransportError) -> [[UInt8]]?
  ) async throws(Interruption) -> [[UInt8]]? {
    do throws(KubernetesTransportError) {
      return try await next()
    } catch {
      throw interruption(error)
    }
  }

  /// Takes lines in that came together.
  private mutating func take(_ lines: [[UInt8]], _ form: EntryForm, _ target: RequestTarget) throws(Interruption) {
    var changes: [(key: Key, stored: Stored?)] = []
    var interruption: Interruption?
    var target = target
    do throws(ObjectError) {
      lines: for line in lines where !line.isEmpty {
        switch try WatchLine(line) {
        case .present(let object):
          target.name = object.metadata.name
          if let entry = try feed.decode(object, form) { note(entry, &changes) }
          position = object.metadata.resourceVersion
        case .deleted(let object):
          target.name = object.metadata.name
          if let entry = try feed.decode(object, form) { noteDeletion(entry.key, &changes) }
          position = object.metadata.resourceVersion
        case .bookmark(let version): position = version
        case .error(let status):
          interruption = Self.interruption(status, target)
          break lines
        }
      }
    } catch {
      interruption = .final(target.error(error))
    }
    if let position { mailbox.put(changes, of: feed.subject, Revision(position)) }
    if let interruption { throw interruption }
  }

  private mutating func note(_ entry: DecodedEntry, _ changes: inout [(key: Key, stored: Stored?)]) {
    store.remember(entry, keepsBody: false)
    if entry.isDeleted {
      halfDeleted.insert(entry.key)
      changes.append((entry.key, nil))
      return
    }
    if feed.kind.isCore {
      if told[entry.key] == entry.bytes { return }
      told[entry.key] = entry.bytes
    }
    halfDeleted.remove(entry.key)
    changes.append((entry.key, entry.stored))
  }

  private mutating func noteDeletion(_ key: Key, _ changes: inout [(key: Key, stored: Stored?)]) {
    told[key] = nil
    if halfDeleted.remove(key) == nil { changes.append((key, nil)) }
  }

  // MARK: - Interruptions

  private static func interruption(_ status: ServerStatus, _ target: RequestTarget) -> Interruption {
    // A version that the server does not know yet is that of another one.
    if status.code == 410 || status.reason == "Expired" || status.message.contains("Too large resource version") {
      return .expired
    }
    // The definition is gone, and with it all its objects.
    if status.code == 404 { return .expired }
    let error = target.error(status)
    return error.code == .unavailable ? .retry(error) : .final(error)
  }

  private static func interruption(_ error: KubernetesTransportError) -> Interruption {
    switch APIServer.answer(error) {
    case .failed(let error) where error.code != .unavailable: .final(error)
    case .failed(let error), .lost(let error): .retry(error)
    case .done, .refused: .expired
    }
  }
}

extension EntryKind {
  fileprivate init(_ feed: WatchFeed) {
    switch feed.subject {
    case .kind(let kind): self = kind
    case .key(let key): self.init(of: key)
    case .keys(let keys): self = keys.first.map { EntryKind(of: $0) } ?? .configuration
    }
  }
}
