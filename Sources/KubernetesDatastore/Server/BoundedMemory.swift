/// Remembers what was last put in, up to a total weight.
struct BoundedMemory<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    var value: Value
    var weight: Int
    var turn: UInt64
  }

  private let capacity: Int
  private let weigh: @Sendable (Value) -> Int
  private var entries: [Key: Entry] = [:]
  private var turn: UInt64 = 0
  /// What all entries weigh together.
  private(set) var weight = 0

  /// An empty memory.
  ///
  /// - Parameters:
  ///   - capacity: how much all entries may weigh together.
  ///   - weigh: what an entry weighs, such as its size in bytes; 1 makes the capacity a number of entries.
  init(capacity: Int, weigh: @escaping @Sendable (Value) -> Int = { _ in 1 }) {
    self.capacity = capacity
    self.weigh = weigh
  }

  subscript(key: Key) -> Value? {
    get { entries[key]?.value }
    set {
      weight -= entries[key]?.weight ?? 0
      guard let newValue else {
        entries[key] = nil
        return
      }
      turn += 1
      let entry = Entry(value: newValue, weight: weigh(newValue), turn: turn)
      entries[key] = entry
      weight += entry.weight
      if weight > capacity { forgetOldest() }
    }
  }

  /// Forgets a quarter at once, so that a look at all entries pays.
  private mutating func forgetOldest() {
    var oldest = turn + 1
    var kept = 0
    for entry in entries.values.sorted(by: { $0.turn > $1.turn }) {
      guard kept + entry.weight <= capacity - capacity / 4 else { break }
      kept += entry.weight
      oldest = entry.turn
    }
    entries = entries.filter { $0.value.turn >= oldest }
    weight = kept
  }
}
