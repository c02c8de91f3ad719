import CalicoModel

/// What one address of a block is.
enum Slot: Hashable, Sendable {
  case free
  case cooling(since: Timestamp)
  case used(handle: String?, number: UInt64?)

  /// The addresses of a block, in order.
  static func slots(of block: IPAMBlock) -> [Slot] {
    (0..<block.size).map { ordinal in
      guard let attribute = block.attribute(at: ordinal) else { return .free }
      if let time = attribute.releasedAt { return .cooling(since: time) }
      return .used(handle: attribute.sanitizedHandleID, number: block.allocationNumbers[ordinal])
    }
  }
}
