import Datastore

/// One iteration of a stream. A stream's next function is called by one task, one call after the other.
actor WatchIteration {
  private var iterator: WatchStream.Iterator?

  init(_ stream: WatchStream) { iterator = stream.makeAsyncIterator() }

  func next() async throws -> WatchEvent? {
    // Taken out for the time of the wait, because an actor may be entered meanwhile.
    guard var current = iterator else { return nil }
    iterator = nil
    defer { iterator = current }
    return try await current.next()
  }
}
