import CalicoModel
import Synchronization

extension InMemoryDatastore {
  public func watch(_ kinds: Set<EntryKind>, from cursor: WatchCursor?) -> WatchStream {
    let start = WatchPositions(kinds, cursor)
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

/// Up to which revision a stream has told everything of each kind; nil before its snapshot.
struct WatchPositions {
  var byKind: [EntryKind: Int64?] = [:]

  init(_ kinds: Set<EntryKind>, _ cursor: WatchCursor?) {
    for kind in kinds {
      // A cursor of another driver is as good as none.
      byKind.updateValue(cursor?.positions[kind].flatMap { Int64($0.token) }, forKey: kind)
    }
  }
}

extension InMemoryState {
  /// What a stream has not told yet, at most one change an entry; its positions become the present one.
  fileprivate mutating func events(since positions: inout WatchPositions) -> [WatchEvent] {
    var events: [WatchEvent] = []
    var told: [EntryKind: Int64] = [:]
    for (kind, position) in positions.byKind {
      if let position, log.reaches(back: position), position <= revision {
        told[kind] = position
      } else {
        events.append(.snapshot(kind, entries.items(of: kind), Revision(revision)))
      }
      positions.byKind[kind] = .some(revision)
    }
    for key in log.keys(changedSince: told) {
      events.append(.change(key, entries[EntryPath(key)]?.stored))
    }
    if events.isEmpty { return [] }
    return events + [.bookmark(WatchCursor(positions.byKind.compactMapValues { $0 }.mapValues { Revision($0) }))]
  }
}
