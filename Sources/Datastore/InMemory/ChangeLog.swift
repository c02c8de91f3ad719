import CalicoModel

/// The newest changes of a store; older ones are forgotten.
struct ChangeLog {
  struct Record {
    var revision: Int64
    var key: Key
  }

  private let capacity: Int
  private var records: [Record] = []
  /// Changes up to here may be forgotten.
  private var forgotten: Int64 = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  mutating func append(_ record: Record) {
    // Half is dropped at a time, so that dropping costs nothing on average.
    if records.count >= 2 * capacity {
      forgotten = records[capacity - 1].revision
      records.removeFirst(capacity)
    }
    records.append(record)
  }

  /// Whether all changes after a revision are known.
  func reaches(back revision: Int64) -> Bool { revision >= forgotten }

  /// What changed.
  ///
  /// - Parameters:
  ///   - kinds: by kind the revision after which changes count; other kinds do not count.
  ///   - single: the same for single entries.
  /// - Returns: each key once, in the order of the last changes.
  func keys(changedSince kinds: [EntryKind: Int64], _ single: [Key: Int64]) -> [Key] {
    guard let first = [kinds.values.min(), single.values.min()].compactMap(\.self).min() else { return [] }
    var keys: [Key] = []
    var seen: Set<EntryPath> = []
    for record in records.reversed() {
      if record.revision <= first { break }
      guard let position = kinds[EntryKind(of: record.key)] ?? single[record.key], record.revision > position else {
        continue
      }
      if seen.insert(EntryPath(record.key)).inserted { keys.append(record.key) }
    }
    return keys.reversed()
  }
}
