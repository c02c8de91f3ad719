import CalicoModel
import Synchronization

extension InMemoryDatastore {
  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    let start = WatchPositions(interest, cursor)
    return WatchStream {
      let positions = Mutex(start)
      return { [self] in
        while !Task.isCancelled {
          let (events, revision) = state.withLock { state in
            positions.withLock { (state.events(since: &$0), state.revision) }
          }
          if !events.isEmpty { return events }
          await waitForChange(after: revision)
        }
        return nil
      }
    }
  }

  /// Waits until the store is beyond a revision, or the task is cancelled.
  private func waitForChange(after revision: Int64) async {
    let identifier = state.withLock { $0.makeWaiter() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // The handler below may have run already and found nobody.
          if state.revision > revision || Task.isCancelled { return true }
          state.waiters[identifier] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: identifier) }?.resume()
    }
  }
}

/// Up to which revision a stream has told everything of each kind and of each single entry; nil before it has told
/// anything.
struct WatchPositions {
  var byKind: [EntryKind: Int64?] = [:]
  var byKey: [Key: Int64?] = [:]

  init(_ interest: WatchInterest, _ cursor: WatchCursor?) {
    // A cursor of another driver is as good as none.
    for kind in interest.kinds {
      byKind.updateValue(cursor?.positions[kind].flatMap { Int64($0.token) }, forKey: kind)
    }
    for key in interest.singleKeys {
      byKey.updateValue(cursor?.keys[key].flatMap { Int64($0.token) }, forKey: key)
    }
  }
}

extension InMemoryState {
  /// What a stream has not told yet, at most one change an entry; its positions become the present one.
  fileprivate mutating func events(since positions: inout WatchPositions) -> [WatchEvent] {
    var events: [WatchEvent] = []
    var toldKinds: [EntryKind: Int64] = [:]
    for (kind, position) in positions.byKind {
      if let position, isKnown(position) {
        toldKinds[kind] = position
      } else {
        events.append(.snapshot(kind, entries.items(of: kind), Revision(revision)))
      }
      positions.byKind[kind] = .some(revision)
    }
    var toldKeys: [Key: Int64] = [:]
    for (key, position) in positions.byKey {
      if let position, isKnown(position) {
        toldKeys[key] = position
      } else {
        events.append(.change(key, entries[EntryPath(key)]?.stored))
      }
      positions.byKey[key] = .some(revision)
    }
    for key in log.keys(changedSince: toldKinds, toldKeys) {
      events.append(.change(key, entries[EntryPath(key)]?.stored))
    }
    if events.isEmpty { return [] }
    return events + [.bookmark(positions.cursor)]
  }

  /// Whether everything that happened after a position is known.
  private func isKnown(_ position: Int64) -> Bool { log.reaches(back: position) && position <= revision }
}

extension WatchPositions {
  fileprivate var cursor: WatchCursor {
    WatchCursor(
      byKind.compactMapValues { $0 }.mapValues { Revision($0) },
      keys: byKey.compactMapValues { $0 }.mapValues { Revision($0) })
  }
}
