import Datastore
import Synchronization

/// One iteration of a watch.
final class Watcher: Sendable {
  private let store: SQLiteDatastore
  private let scope: WatchScope
  private let progress: Mutex<Progress>

  private struct Progress {
    var cursor: WatchCursor
    /// How many looks with nothing to report the last bookmark is behind.
    var silentLooks = 0
    var hasLooked = false
    var rest = WatchRest()

    /// Takes note of a look, and decides whether to report it.
    mutating func advance(to look: WatchLook, isFirst: Bool) -> Bool {
      if look.cursor != cursor { silentLooks += 1 }
      cursor = look.cursor
      guard isFirst || !look.events.isEmpty || silentLooks >= Watcher.longestSilence else { return false }
      silentLooks = 0
      return true
    }
  }

  /// After so many looks at a store in which only other entries change, the position is told all the same: the changes
  /// after an old one are forgotten some time.
  private static let longestSilence = 20

  /// How long a look may wait for a store that is being made ready.
  private static let patience: UInt64 = 10_000

  init(_ store: SQLiteDatastore, _ scope: WatchScope, from cursor: WatchCursor?) {
    self.store = store
    self.scope = scope
    progress = Mutex(Progress(cursor: cursor ?? WatchCursor([:])))
  }

  /// Waits until there is something to report; nil when the task is cancelled.
  func next() async throws -> [WatchEvent]? {
    while true {
      let isFirst = progress.withLock { progress in
        defer { progress.hasLooked = true }
        return !progress.hasLooked
      }
      if !isFirst {
        do { try await Task.sleep(for: store.file.options.watchInterval) } catch { return nil }
      }
      let traces = FileTraces(of: store.path)
      guard progress.withLock({ $0.rest.ends(with: traces) }) || isFirst else { continue }
      let cursor = progress.withLock { $0.cursor }
      let look = try store.look(scope, from: cursor, deadline: .after(milliseconds: Self.patience))
      let isTold = progress.withLock { $0.advance(to: look, isFirst: isFirst) }
      if isTold { return look.events + [.bookmark(look.cursor)] }
    }
  }
}
