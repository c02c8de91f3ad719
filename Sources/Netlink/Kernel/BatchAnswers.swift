import CNetlink

/// What the kernel answers to the messages of one batch.
///
/// Only the last message asks for an answer; of the others only those that are refused get one. As messages are acted
/// upon in their order, the answer to the last one says that there will be no more (routes specification, section 3.3).
struct BatchAnswers {
  /// The number of the first message; the others count on from it.
  let first: UInt32
  /// How many messages there are.
  let count: Int
  /// By the position of the message. Where two messages have the same number, the first refusal counts.
  private(set) var refusals: [Int: KernelRefusal] = [:]
  private(set) var isComplete = false

  init(first: UInt32, count: Int) {
    self.first = first
    self.count = count
  }

  mutating func read(_ datagram: ByteView) throws(MalformedMessage) {
    try datagram.forEachMessage { message throws(MalformedMessage) in
      let position = Int(message.sequence &- first)
      // Numbers from elsewhere belong to answers that nobody waited for any more.
      guard message.type == Int(NLMSG_ERROR), position < count else { return true }
      if let refusal = try KernelRefusal(answer: message), refusals[position] == nil { refusals[position] = refusal }
      if position == count - 1 { isComplete = true }
      return true
    }
  }
}
