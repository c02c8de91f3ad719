/// Values by key, and which of them are different from what was told last.
struct Tracked<Key: Hashable & Sendable, Value: Hashable & Sendable>: Sendable {
  private(set) var current: [Key: Value] = [:]
  /// What was told last, of the keys that have been touched since.
  private var told: [Key: Value?] = [:]
  /// Whether nothing was told yet: then all there is, is different.
  private var isUntold = true

  /// Sets a value, or removes it with nil.
  mutating func set(_ key: Key, _ value: Value?) {
    let present = current[key]
    guard present != value else { return }
    if !isUntold, told[key] == nil { told.updateValue(present, forKey: key) }
    current[key] = value
  }

  /// What is different now, and not any more once this has returned. A value that came back to what it was is not.
  mutating func take() -> [Key: Value?] {
    guard !isUntold else {
      isUntold = current.isEmpty
      return current.mapValues { $0 }
    }
    guard !told.isEmpty else { return [:] }
    var changes: [Key: Value?] = [:]
    changes.reserveCapacity(told.count)
    for (key, value) in told where current[key] != value { changes.updateValue(current[key], forKey: key) }
    told = [:]
    return changes
  }
}
