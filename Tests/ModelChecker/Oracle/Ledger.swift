import CalicoModel
import IPAddressing

/// An address as it was given out.
struct LedgerEntry: Sendable {
  let address: IPAddress
  let block: CIDR
  let handle: String?
  let number: UInt64
  /// The process that wrote it, and in which step.
  let process: Int
  let step: Int
  /// Whether it was written after its answer had been given up.
  let isLate: Bool
  /// The step in which it was freed; nil while it is in use.
  var freed: Int?
  /// The process that reported it as its own.
  var reportedBy: Int?
}

/// All assignments that a history ever made.
struct Ledger: Sendable {
  struct Identity: Hashable, Sendable {
    var address: IPAddress
    var number: UInt64
  }

  private(set) var entries: [LedgerEntry] = []
  private var places: [Identity: Int] = [:]

  /// Takes an assignment in; false when the address had one with this number before.
  mutating func add(_ entry: LedgerEntry) -> Bool {
    let identity = Identity(address: entry.address, number: entry.number)
    guard places[identity] == nil else { return false }
    places[identity] = entries.count
    entries.append(entry)
    return true
  }

  func place(_ address: IPAddress, _ number: UInt64) -> Int? { places[Identity(address: address, number: number)] }

  mutating func free(_ place: Int, step: Int) { entries[place].freed = step }

  mutating func report(_ place: Int, by process: Int) { entries[place].reportedBy = process }

  /// The release that a pick stands for now.
  func option(_ pick: Action.Pick) -> ReleaseOption? {
    guard !entries.isEmpty else { return nil }
    // The newest are the most likely to be still there.
    let entry = entries[entries.count - 1 - pick.index % entries.count]
    return ReleaseOption(
      entry.address, handleID: pick.demandsHandle ? entry.handle : nil,
      sequenceNumber: pick.demandsNumber ? entry.number : nil)
  }
}
