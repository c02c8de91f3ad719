import CNetlink

extension KernelRefusal {
  /// What an answer says of the message that it answers (`nlmsgerr`); nil when that was done.
  ///
  ///     | error 4 | header of the message 16 | its payload, unless capped | attributes, if marked |
  init?(answer: KernelMessage) throws(MalformedMessage) {
    let payload = answer.payload
    guard let error = payload.integer(at: 0, as: Int32.self), let length = payload.integer(at: 4, as: UInt32.self)
    else { throw MalformedMessage() }
    guard error != 0 else { return nil }
    var offset = 20
    if answer.flags & NLM_F_CAPPED == 0, length > 16 { offset += (Int(length) - 16 + 3) & ~3 }
    self.init(error, answer, attributesFrom: offset)
  }

  /// What the end of a listing says (`NLMSG_DONE`); nil when the listing is whole. Its error is easily overlooked:
  /// without it, a table that does not exist and a request that makes no sense look like an empty table.
  init?(end: KernelMessage) throws(MalformedMessage) {
    // The number of entries, in some listings, or an error.
    guard let error = end.payload.integer(at: 0, as: Int32.self), error < 0 else { return nil }
    self.init(error, end, attributesFrom: 4)
  }

  private init(_ error: Int32, _ message: KernelMessage, attributesFrom offset: Int) {
    var explanation: String?
    if message.flags & NLM_F_ACK_TLVS != 0, let attributes = message.payload.rest(from: offset) {
      // The error is what counts: an explanation that cannot be read is left out.
      try? attributes.forEachAttribute { type, value in
        if type == Int(NLMSGERR_ATTR_MSG.rawValue) { explanation = value.text }
      }
    }
    // Of the lowest number, too, the kernel says nothing that could be negated.
    self.init(errno: error == .min ? .max : abs(error), explanation: explanation)
  }
}
