import CalicoModel
import IPAddressing

/// Everything that decides whether a procedure may begin.
struct PoolSurvey: Sendable {
  var pools: [StoredPool] = []
  /// What cannot be read, in words.
  var unreadable: [String] = []
  /// What is in use in the source.
  var source = PoolHoldings()
  /// What lies in the range of the stand-in, whether there is such a pool or not.
  var standIn = PoolHoldings()
  var configuration = IPAMConfiguration()
  var reserved = ReservedAddresses()
  /// The labels of the hosts that have a part of the source.
  var labels: [String: [String: String]] = [:]
  /// Whether the store is locked because its content is being moved.
  var isLocked = false

  /// The pool of a name, or else that of a range.
  func pool(_ text: String) -> StoredPool? {
    if let named = pools.first(where: { $0.name == text }) { return named }
    guard let cidr = CIDR(text) else { return nil }
    return pools.first { $0.pool.cidr == cidr }
  }
}

extension CIDR {
  /// How many addresses there are, or all that can be counted.
  var count: UInt128 { hostBits >= 128 ? .max : 1 << UInt128(hostBits) }

  /// How many blocks of a size there are; 0 where none fits.
  func blocks(ofSize size: Int) -> UInt128 {
    guard let bits = subnetBits(size) else { return 0 }
    return bits >= 128 ? .max : 1 << UInt128(bits)
  }
}

extension ReservedAddresses {
  /// How many addresses of a range are reserved; those that two reservations name count twice.
  func count(in range: CIDR) -> UInt128 {
    cidrs.reduce(0) { sum, reserved in
      guard reserved.overlaps(range) else { return sum }
      let (total, overflow) = sum.addingReportingOverflow(min(reserved.count, range.count))
      return overflow ? .max : total
    }
  }
}
