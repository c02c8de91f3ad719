import CNetlink
import Glibc

extension NetlinkKernel {
  /// Makes changes in their order, many with one system call; a refused one does not stop the rest.
  ///
  /// - Parameter changes: the changes.
  /// - Returns: the refusals, by position; what is not named was done.
  /// - Throws: ``NetlinkError`` when the outcome of some is not known: ``NetlinkError/Code/timeout``,
  ///   ``NetlinkError/Code/overflow``, ``NetlinkError/Code/malformed`` or ``NetlinkError/Code/unusable``. Some may have
  ///   been made, from the first on; the kernel can be used again.
  public func apply(_ changes: [KernelChange]) throws(NetlinkError) -> [Int: KernelRefusal] {
    var refusals: [Int: KernelRefusal] = [:]
    var position = 0
    while position < changes.count {
      let first = position
      let firstSequence = fill(from: changes, &position)
      guard position > first else {
        refusals[position] = KernelRefusal(errno: EMSGSIZE, explanation: "The message would be too long")
        position += 1
        continue
      }
      for (offset, refusal) in try exchange(BatchAnswers(first: firstSequence, count: position - first)) {
        refusals[first + offset] = refusal
      }
    }
    return refusals
  }

  /// Makes one batch of as many changes as fit, and moves the position behind them.
  private func fill(from changes: [KernelChange], _ position: inout Int) -> UInt32 {
    messages.truncate(to: 0)
    let end = min(changes.count, position + batchLimit)
    var first: UInt32?
    var last = 0
    while position < end {
      let place = messages.count
      let sequence = nextSequence()
      messages.append(changes[position], sequence: sequence)
      if messages.hasOverflowed {
        messages.truncate(to: place)
        break
      }
      if first == nil { first = sequence }
      last = messages.start
      position += 1
      if changes[position - 1].isOfRoute { statistics.routeMessages += 1 } else { statistics.otherMessages += 1 }
    }
    if messages.count > 0 { messages.acknowledge(messageAt: last) }
    return first ?? 0
  }

  private func exchange(
    _ answers: consuming BatchAnswers
  ) throws(NetlinkError) -> [Int: KernelRefusal] {
    let attempt = "make \(answers.count) changes"
    try writer.send(messages, attempt)
    statistics.batches += 1
    while !answers.isComplete {
      switch try writer.receive(wait: true, attempt) {
      case .datagram(let datagram):
        do {
          try answers.read(datagram)
        } catch {
          try reopenWriter()
          throw NetlinkError(.malformed, attempt)
        }
      case .nothing:
        try reopenWriter()
        throw NetlinkError(.timeout, attempt)
      case .overflow:
        statistics.overflows += 1
        // The kernel has acted upon all of the batch by now: nothing comes after what is dropped here.
        try writer.drain()
        adjustBatchLimit(hasOverflowed: true)
        throw NetlinkError(.overflow, attempt, errno: ENOBUFS)
      }
    }
    adjustBatchLimit(hasOverflowed: false)
    return answers.refusals
  }
}

extension KernelChange {
  /// Whether it is about a route.
  var isOfRoute: Bool {
    switch self {
    case .addRoute, .replaceRoute, .deleteRoute: true
    default: false
    }
  }
}
