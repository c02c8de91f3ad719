import CalicoModel
import Datastore
import EtcdMessages
import NIOCore
import SwiftProtobuf

/// One iteration of a watch.
actor EtcdWatcher {
  private let client: EtcdClient
  private var ranges: [WatchedRange]
  /// The positions are of this cluster; nil when that is not known.
  private var cluster: UInt64?
  private var stream: GRPCStream?
  private var connection: GRPCConnection?
  private var changes = CoalescedChanges()
  /// Whether a message is to be continued, so that what came of it is not all.
  private var isFragment = false
  private var hasBegun = false
  private var hasRenewed = false
  private var failures = 0
  private var lostAt: Deadline?

  /// How long one request for the state of things may take.
  private static let patience: UInt64 = 15_000
  /// How long a cluster may be lost before that is told.
  private static let longestLoss: UInt64 = 30_000

  init(_ client: EtcdClient, _ interest: WatchInterest, from cursor: WatchCursor?) {
    self.client = client
    ranges = WatchedRange.all(of: interest)
    let clusters = Set((cursor.map { Array($0.positions.values) + $0.keys.values } ?? []).map(\.identity))
    // Positions of several clusters, or of another store, are of no use.
    guard let cursor, clusters.count == 1, let identity = clusters.first ?? nil,
      let cluster = UInt64(identity, radix: 16)
    else { return }
    self.cluster = cluster
    for index in ranges.indices {
      let told =
        switch ranges[index].subject {
        case .kind(let kind): cursor.positions[kind]
        case .key(let key): cursor.keys[key]
        }
      ranges[index].position = told.flatMap { Int64($0.token) }.flatMap { $0 > 0 ? $0 : nil }
    }
  }

  deinit {
    // Before the client, which may be the last that its thread serves: the stream is closed on that thread.
    stream = nil
  }

  /// Waits until there is something to tell; nil when the task is cancelled.
  ///
  /// - Throws: `DatastoreError` when the cluster is lost, or refuses.
  func next() async throws(DatastoreError) -> [WatchEvent]? {
    while !Task.isCancelled {
      do throws(EtcdFailure) {
        let events = stream == nil ? try await begin() : try await follow()
        lostAt = nil
        if !events.isEmpty { return events }
      } catch {
        guard try await recover(from: error) else { break }
      }
    }
    stream?.close()
    stream = nil
    return nil
  }

  // MARK: The start

  /// Tells what has to be told before changes, and opens the stream that brings these.
  private func begin() async throws(EtcdFailure) -> [WatchEvent] {
    let deadline = Deadline.after(milliseconds: Self.patience)
    if cluster != nil { try await checkPositions(deadline) }
    let state = try await tellState(deadline)
    // What came on an earlier stream and was not told yet is older than the state.
    let events = changes.take() + state
    let (stream, connection) = try await client.openWatch(deadline)
    self.connection = connection
    isFragment = false
    stream.send(
      ranges.indices.compactMap { try? ranges[$0].creation(Int64($0) + 1).serializedBytes() as [UInt8] })
    self.stream = stream
    failures = 0
    defer { hasBegun = true }
    return hasBegun && events.isEmpty ? [] : events + [.bookmark(cursor)]
  }

  /// Finds out whether the positions are in the history of the cluster that answers.
  private func checkPositions(_ deadline: Deadline) async throws(EtcdFailure) {
    guard ranges.contains(where: { $0.position != nil }) else { return }
    var request = Etcdserverpb_RangeRequest()
    request.key = etcdBytes(EntryRange(.configuration).lower)
    request.countOnly = true
    let answer: Etcdserverpb_RangeResponse = try await client.call(
      "/etcdserverpb.KV/Range", request, for: "read the revision", .harmless, deadline)
    for index in ranges.indices {
      guard let position = ranges[index].position else { continue }
      if answer.header.clusterID != cluster || position > answer.header.revision { ranges[index].position = nil }
    }
  }

  /// Reads what has no position, and gives it one.
  private func tellState(_ deadline: Deadline) async throws(EtcdFailure) -> [WatchEvent] {
    // A kind that lies in several ranges is told as a whole.
    let unknown = Set(ranges.filter { $0.position == nil }.map(\.subject))
    let indexes = ranges.indices.filter { unknown.contains(ranges[$0].subject) }
    guard !indexes.isEmpty else { return [] }
    var queries = indexes.map { RangeQuery(ranges[$0].range) }
    cluster = try await RangeReader(client, deadline).read(&queries, for: "read what is watched")
    var events: [WatchEvent] = []
    for (index, query) in zip(indexes, queries) {
      ranges[index].position = query.revision
      switch ranges[index].subject {
      case .key(let key): events.append(.change(key, query.items.first?.stored))
      case .kind(let kind):
        if case .snapshot(kind, let items, let revision)? = events.last {
          let earlier = min(Int64(revision.token) ?? 0, query.revision)
          events[events.count - 1] = .snapshot(kind, items + query.items, Revision(earlier))
        } else {
          events.append(.snapshot(kind, query.items, Revision(query.revision)))
        }
      }
    }
    return events
  }

  /// Where the stream stands.
  private var cursor: WatchCursor {
    let identity = String(cluster ?? 0, radix: 16)
    var kinds: [EntryKind: Int64] = [:]
    var keys: [Key: Revision] = [:]
    for range in ranges {
      let position = range.position ?? 0
      switch range.subject {
      case .kind(let kind): kinds[kind] = min(kinds[kind] ?? .max, position)
      case .key(let key): keys[key] = Revision(String(position), identity: identity)
      }
    }
    return WatchCursor(kinds.mapValues { Revision(String($0), identity: identity) }, keys: keys)
  }

  // MARK: Changes

  /// Waits for messages, and tells what they bring.
  private func follow() async throws(EtcdFailure) -> [WatchEvent] {
    guard let stream else { return [] }
    let messages: [ByteBuffer]
    do throws(GRPCFailure) {
      guard let received = try await stream.receive() else { return [] }
      messages = received
    } catch {
      throw client.failure(error, of: "watch")
    }
    var hasMoved = false
    for message in messages {
      client.noteReceived(message.readableBytes)
      guard let answer = try? Etcdserverpb_WatchResponse(serializedBytes: Array(buffer: message)) else {
        let status = GRPCStatus(.internal, "a message that cannot be understood")
        throw client.failure(GRPCFailure(.status(status), mayHaveArrived: true), of: "watch")
      }
      if answer.canceled { return try end(answer) }
      if take(answer) { hasMoved = true }
    }
    guard !isFragment, hasMoved else { return [] }
    return changes.take() + [.bookmark(cursor)]
  }

  /// Takes in a message.
  ///
  /// - Returns: whether there is something to tell.
  private func take(_ answer: Etcdserverpb_WatchResponse) -> Bool {
    let index = Int(clamping: answer.watchID) - 1
    guard ranges.indices.contains(index), let position = ranges[index].position, !answer.created else { return false }
    var last = position
    for event in answer.events where event.kv.modRevision > position {
      last = max(last, event.kv.modRevision)
      guard let key = ranges[index].range.key(of: event.kv.key) else { continue }
      changes.note(key, event.type == .delete ? nil : event.kv.stored)
    }
    isFragment = answer.fragment
    // The rest of a message may be of the same revision.
    guard !answer.fragment else { return false }
    // Without events it says that there were none up to now.
    if answer.events.isEmpty { last = max(last, answer.header.revision) }
    defer { ranges[index].position = last }
    return last > position
  }

  /// Takes in that the cluster tells no more of a range.
  private func end(_ answer: Etcdserverpb_WatchResponse) throws(EtcdFailure) -> [WatchEvent] {
    stream?.close()
    stream = nil
    let index = Int(clamping: answer.watchID) - 1
    if answer.compactRevision > 0, ranges.indices.contains(index) {
      // What happened cannot be told any more; what there is, can.
      ranges[index].position = nil
      return []
    }
    let isForbidden = answer.cancelReason.contains("permission denied")
    let status = GRPCStatus(isForbidden ? .permissionDenied : .unavailable, answer.cancelReason)
    let path = ranges.indices.contains(index) ? String(decoding: ranges[index].range.lower, as: UTF8.self) : "/calico/"
    throw client.failure(GRPCFailure(.status(status), mayHaveArrived: true), of: "watch " + path)
  }

  // MARK: Failures

  /// Waits before another attempt.
  ///
  /// - Returns: false when the task is cancelled meanwhile.
  /// - Throws: what cannot be waited for.
  private func recover(from failure: EtcdFailure) async throws(DatastoreError) -> Bool {
    stream?.close()
    stream = nil
    if let connection, failure.status != nil { client.leave(connection) }
    connection = nil
    if failure.error.code == .forbidden {
      // The token of a watch may have become too old; a stream cannot be told so.
      guard !hasRenewed, client.forgetSession() else { throw failure.error }
      hasRenewed = true
      return !Task.isCancelled
    }
    guard hasBegun, failure.error.code == .unavailable else { throw failure.error }
    let now = Deadline.now
    let lostAt = lostAt ?? now
    self.lostAt = lostAt
    if now.nanoseconds - lostAt.nanoseconds > Self.longestLoss * 1_000_000 { throw failure.error }
    let longest = min(4_000, 100 << min(failures, 6))
    failures += 1
    // Cancelled is what the caller looks for.
    try? await Task.sleep(for: .milliseconds(Int.random(in: longest / 2...longest)))
    return !Task.isCancelled
  }
}
