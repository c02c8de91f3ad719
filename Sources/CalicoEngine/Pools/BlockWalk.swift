import CalicoModel
import IPAddressing

/// Goes through the blocks of a pool in a host's order, each once.
struct BlockWalk {
  private let order: BlockOrder
  /// Nil when all were seen.
  private var distance: UInt128? = 0

  init(_ order: BlockOrder) {
    self.order = order
  }

  /// The next block that is not reserved as a whole; nil at the end.
  ///
  /// A reservation that covers many blocks is stepped over at once, so that the walk costs what is used and not how
  /// wide the pool is.
  mutating func next(skipping reserved: ReservedAddresses) -> CIDR? {
    while let current = distance {
      // The distance is in range, so there is a block.
      guard let cidr = order.block(at: current) else { return nil }
      distance = current == order.lastDistance ? nil : current + 1
      guard !reserved.isEmpty, reserved.overlaps(cidr) else { return cidr }
      if let wide = reserved.cidrs.first(where: { $0.contains(cidr) }) {
        skip(wide, from: cidr, at: current)
      } else if !reserved.covers(cidr) {
        return cidr
      }
    }
    return nil
  }

  /// Continues behind the last block of this stretch that a reservation covers.
  private mutating func skip(_ reservation: CIDR, from cidr: CIDR, at current: UInt128) {
    let end = min(reservation.last.number, order.pool.last.number)
    let shift = UInt128(cidr.address.family.bitWidth - order.prefixLength)
    let covered = (end - cidr.address.number) >> shift
    let (next, overflow) = current.addingReportingOverflow(covered)
    distance = overflow || next >= order.lastDistance ? nil : next + 1
  }
}
