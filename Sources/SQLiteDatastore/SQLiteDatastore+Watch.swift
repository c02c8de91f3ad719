public import Datastore

extension SQLiteDatastore {
  /// Reports entries as they are, and then as they change.
  ///
  /// The store is looked at every ``Options/watchInterval``; several changes of an entry in between become one. The
  /// changes of the last 1,024 commits are known: whoever was away for longer gets a snapshot, and so does whoever
  /// watches a path at which another store appears. A store that does not exist yet is empty. The stream ends when its
  /// task is cancelled, and throws ``DatastoreError`` when the store cannot be read any more.
  public func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream {
    WatchStream {
      let watcher = Watcher(self, WatchScope(interest), from: cursor)
      return { try await watcher.next() }
    }
  }

  /// What happened after a position.
  func look(_ scope: WatchScope, from cursor: WatchCursor, deadline: Deadline) throws(DatastoreError) -> WatchLook {
    let look = try reading(deadline) { (connection) throws(SQLiteError) in
      try WatchLook(EntryTable(connection: connection), scope, from: cursor)
    }
    return look ?? WatchLook(ofNoStore: scope, from: cursor)
  }
}
