import CNetlink

/// The entries of one dump, collected datagram by datagram.
struct Listing<Element> {
  /// The number of the question.
  let sequence: UInt32
  /// The type of the messages that are entries.
  let type: Int
  private(set) var elements: [Element] = []
  private(set) var isComplete = false
  /// Whether entries changed their place meanwhile, so that some may be missing.
  private(set) var isInterrupted = false
  /// Why there is no listing, or not a whole one.
  private(set) var refusal: KernelRefusal?

  init(sequence: UInt32, type: Int) {
    self.sequence = sequence
    self.type = type
  }

  /// Takes what is in a datagram; `decode` gives nil for entries that were not asked for.
  mutating func read(
    _ datagram: ByteView, _ decode: (ByteView) throws(MalformedMessage) -> Element?
  ) throws(MalformedMessage) {
    try datagram.forEachMessage { message throws(MalformedMessage) in
      guard message.sequence == sequence else { return true }
      if message.flags & NLM_F_DUMP_INTR != 0 { isInterrupted = true }
      switch message.type {
      case type:
        if let element = try decode(message.payload) { elements.append(element) }
      case Int(NLMSG_DONE):
        refusal = try KernelRefusal(end: message)
        isComplete = true
      case Int(NLMSG_ERROR):
        // Nothing follows an error, nor the confirmation that takes its place.
        refusal = try KernelRefusal(answer: message)
        isComplete = true
      default:
        break
      }
      return !isComplete
    }
  }
}
