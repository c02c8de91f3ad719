/// Remembers what was last put in, up to a number of entries.
struct BoundedMemory<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let capacity: Int
  private var entries: [Key: (value: Value, turn: UInt64)] = [:]
  private var turn: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
  }

  subscript(key: Key) -> Value? {
    get { entries[key]?.value }
    set {
      guard let newValue else {
        entries[key] = nil
        return
      }
      turn += 1
      entries[key] = (newValue, turn)
      if entries.count > capacity { forgetOldest() }
    }
  }

  /// Forgets a quarter at once, so that a look at all entries pays.
  private mutating func forgetOldest() {
    let turns = entries.values.map(\.turn).sorted()
    let limit = turns[turns.count / 4]
    entries = entries.filter { $0.value.turn > limit }
  }
}
