import IPAddressing

/// The addresses whose lookup in the kernel is wanted, each by any number of destinations.
struct Lookups: Sendable {
  private var counts: [IPAddress: Int] = [:]
  private(set) var unanswered: Set<IPAddress> = []

  var wanted: Set<IPAddress> { Set(counts.keys) }

  mutating func count(_ address: IPAddress, _ difference: Int, isAnswered: Bool) {
    if counts.count(address, by: difference) == 0 {
      unanswered.discard(address)
    } else if !isAnswered {
      unanswered.insert(address)
    }
  }

  mutating func setAnswered(_ address: IPAddress, _ isAnswered: Bool) {
    guard counts[address] != nil else { return }
    if isAnswered { unanswered.remove(address) } else { unanswered.insert(address) }
  }
}
