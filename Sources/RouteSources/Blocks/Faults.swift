import Routing

/// The malformed and contradictory objects: what is told of each once.
struct Faults: Sendable {
  private(set) var reasons: [String: String] = [:]

  /// Takes note of what is wrong with an object; nil when nothing is.
  mutating func set(_ reason: String?, of object: String) { reasons[object] = reason }

  /// What has to be told to whoever knows of other faults: what has ended, and what is new or different.
  func events(since told: [String: String]) -> [RouteSourceEvent] {
    let ended = told.keys.filter { reasons[$0] == nil }.sorted()
    let begun = reasons.filter { told[$0.key] != $0.value }.sorted { $0.key < $1.key }
    return ended.map { .fault(object: $0, reason: nil) } + begun.map { .fault(object: $0.key, reason: $0.value) }
  }
}
