import IPAddressing

/// The addresses whose lookup in the kernel is wanted, each by any number of destinations.
struct Lookups: Sendable {
  private var counts: [IPAddress: Int] = [:]
  private(set) var wanted: Set<IPAddress> = []
  private(set) var unanswered: Set<IPAddress> = []

  mutating func count(_ address: IPAddress, _ difference: Int, isAnswered: Bool) {
    let count = counts[address, default: 0] + difference
    counts[address] = count > 0 ? count : nil
    if count > 0 {
      wanted.insert(address)
      if !isAnswered { unanswered.insert(address) }
    } else {
      wanted.remove(address)
      unanswered.remove(address)
    }
  }

  mutating func setAnswered(_ address: IPAddress, _ isAnswered: Bool) {
    guard wanted.contains(address) else { return }
    if isAnswered { unanswered.remove(address) } else { unanswered.insert(address) }
  }
}
