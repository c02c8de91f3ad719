import CalicoModel
public import Datastore
import Synchronization

extension KubernetesDatastore {
  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    WatchStream { [self] in
      let session = WatchSession(self, interest, cursor)
      return { try await session.next() }
    }
  }
}

/// One iteration of a stream; it begins with the first call, and ends when nobody holds it any more.
private final class WatchSession: Sendable {
  private let store: KubernetesDatastore
  private let interest: WatchInterest
  private let cursor: WatchCursor?
  private let mailbox = WatchMailbox()
  private let tasks = Mutex<[Task<Void, Never>]?>(nil)

  init(_ store: KubernetesDatastore, _ interest: WatchInterest, _ cursor: WatchCursor?) {
    self.store = store
    self.interest = interest
    self.cursor = cursor
  }

  deinit {
    mailbox.close()
    tasks.withLock { $0?.forEach { $0.cancel() } }
  }

  func next() async throws -> [WatchEvent]? {
    start()
    return try await mailbox.next()
  }

  private func start() {
    tasks.withLock { tasks in
      guard tasks == nil else { return }
      // Markers of hosts are no objects: there are none.
      for key in interest.singleKeys where ObjectKind(key) == nil {
        mailbox.put([(key, nil)], of: .key(key), Revision("0"))
      }
      tasks = WatchFeed.all(interest).map { [store, mailbox, cursor] feed in
        Task { await WatchListener(store, feed, mailbox, from: cursor).run() }
      }
    }
  }
}
