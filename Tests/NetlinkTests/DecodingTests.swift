import CNetlink
import Glibc
import IPAddressing
import TestSupport
import Testing

@testable import Netlink

@Suite("Decoding of answers")
struct DecodingTests {
  /// A message that the kernel could have sent: a header before a fixed part and attributes.
  private func message(_ type: Int, flags: Int32 = 0, sequence: UInt32 = 7, _ payload: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { bytes += $0 } }
    put(UInt32(16 + payload.count))
    put(UInt16(type))
    put(UInt16(flags))
    put(sequence)
    put(UInt32(0))
    bytes += payload
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
  }

  private func integer(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  private func view(_ bytes: [UInt8], _ body: (ByteView) throws -> Void) throws {
    try bytes.withUnsafeBytes { try body(ByteView($0)) }
  }

  private func listing(_ datagrams: [UInt8]...) throws -> Listing<Route> {
    var listing = Listing<Route>(sequence: 7, type: RTM_NEWROUTE)
    for datagram in datagrams {
      try view(datagram) { view in
        try listing.read(view) { message throws(MalformedMessage) in try Route(message: message) }
      }
    }
    return listing
  }

  private let route = "0a7a0000 fe500001 00000000 14000100 fd650002 00000000 00000000 00000000".octets

  @Test("a listing ends with its last message, and answers to other questions are left out")
  func end() throws {
    let entry = message(RTM_NEWROUTE, flags: NLM_F_MULTI, route)
    let foreign = message(RTM_NEWROUTE, flags: NLM_F_MULTI, sequence: 6, route)
    let foreignEnd = message(Int(NLMSG_DONE), sequence: 6, integer(0))
    let part = try listing(entry + foreign, foreignEnd + entry)
    #expect(part.elements.count == 2)
    #expect(!part.isComplete)
    let whole = try listing(entry, entry + message(Int(NLMSG_DONE), integer(0)))
    #expect(whole.elements.count == 2)
    #expect(whole.isComplete)
    #expect(whole.refusal == nil)
  }

  @Test("an error in the last message of a listing is told, with the kernel's words")
  func errorAtEnd() throws {
    let plain = try listing(message(Int(NLMSG_DONE), flags: NLM_F_MULTI, integer(-ENODEV)))
    #expect(plain.refusal == KernelRefusal(errno: ENODEV))
    #expect(plain.isComplete)
    let explained = try listing(
      message(
        Int(NLMSG_DONE), flags: NLM_F_MULTI | NLM_F_ACK_TLVS, integer(-EINVAL) + [8, 0, 1, 0] + Array("No!\0".utf8)))
    #expect(explained.refusal == KernelRefusal(errno: EINVAL, explanation: "No!"))
  }

  @Test("R-20: a listing that changed under way is known as such, wherever that is said")
  func interrupted() throws {
    let entry = message(RTM_NEWROUTE, flags: NLM_F_MULTI, route)
    let marked = message(RTM_NEWROUTE, flags: NLM_F_MULTI | NLM_F_DUMP_INTR, route)
    let end = message(Int(NLMSG_DONE), integer(0))
    #expect(try !listing(entry + end).isInterrupted)
    #expect(try listing(marked + end).isInterrupted)
    #expect(try listing(entry + message(Int(NLMSG_DONE), flags: NLM_F_DUMP_INTR, integer(0))).isInterrupted)
  }

  @Test("refusals are read with the message they repeat, in full or capped")
  func refusals() throws {
    func refusal(_ flags: Int32, _ payload: [UInt8]) throws -> KernelRefusal? {
      var answers = BatchAnswers(first: 7, count: 2)
      let bytes = message(Int(NLMSG_ERROR), flags: flags, payload)
      try view(bytes) { try answers.read($0) }
      #expect(!answers.isComplete)
      return answers.refusals[0]
    }
    let header = integer(30) + [24, 0, 5, 5] + integer(7) + integer(0)
    let words: [UInt8] = [7, 0, 1, 0] + Array("No\0\0".utf8)
    let expected = KernelRefusal(errno: ENETDOWN, explanation: "No")
    #expect(try refusal(NLM_F_CAPPED | NLM_F_ACK_TLVS, integer(-ENETDOWN) + header + words) == expected)
    let repeated = [UInt8](repeating: 0xFF, count: 16)
    #expect(try refusal(NLM_F_ACK_TLVS, integer(-ENETDOWN) + header + repeated + words) == expected)
    #expect(try refusal(0, integer(-ENETDOWN) + header + repeated) == KernelRefusal(errno: ENETDOWN))
    #expect(try refusal(NLM_F_CAPPED, integer(0) + header) == nil)
    #expect(throws: MalformedMessage()) { try refusal(0, integer(-ENETDOWN)) }
  }

  @Test("a batch is answered with the answer to its last message, and answers to others are ignored")
  func batch() throws {
    var answers = BatchAnswers(first: .max, count: 3)
    let header = integer(20) + integer(0) + integer(0) + integer(0)
    func read(_ sequence: UInt32, _ error: Int32) throws {
      let bytes = message(Int(NLMSG_ERROR), flags: NLM_F_CAPPED, sequence: sequence, integer(error) + header)
      try view(bytes) { try answers.read($0) }
    }
    try read(.max - 1, -EPERM)
    try read(2, -EPERM)
    try read(0, -ESRCH)
    #expect(!answers.isComplete)
    try read(1, 0)
    #expect(answers.isComplete)
    #expect(answers.refusals == [1: KernelRefusal(errno: ESRCH)])
  }

  @Test(
    "messages that contradict themselves are refused",
    arguments: [
      // A length below that of the header, one beyond the end, half a header.
      "0f000000 18000000 07000000 00000000", "40000000 18000000 07000000 00000000", "10000000 1800",
      // A fixed part that ends early; an attribute of length 3, one beyond the end, an address of three octets.
      "18000000 18000000 07000000 00000000 021a0000 fe500001",
      "20000000 18000000 07000000 00000000 021a0000 fe500001 00000000 03000100",
      "20000000 18000000 07000000 00000000 021a0000 fe500001 00000000 08000100",
      "24000000 18000000 07000000 00000000 021a0000 fe500001 00000000 07000100 0a410300",
      // A prefix of 33 bits; a multipath attribute with a hop of length 4.
      "1c000000 18000000 07000000 00000000 02210000 fe500001 00000000",
      "28000000 18000000 07000000 00000000 02000000 fe500001 00000000 0c000900 04000000 00000000",
    ])
  func malformed(words: String) {
    #expect(throws: MalformedMessage()) { try listing(words.octets) }
  }

  @Test("routes that no key stands for are left out: with a source prefix, and of other families")
  func otherRoutes() throws {
    var bytes = route
    bytes[2] = 64
    #expect(try listing(message(RTM_NEWROUTE, bytes)).elements.isEmpty)
    bytes = route
    bytes[0] = 28
    #expect(try listing(message(RTM_NEWROUTE, bytes)).elements.isEmpty)
  }

  @Test("an IPv4-mapped IPv6 destination stays one of IPv6")
  func mapped() throws {
    let bytes = "0a800000 fe500001 00000000 14000100 00000000 00000000 0000ffff 0a000001".octets
    #expect(try listing(message(RTM_NEWROUTE, bytes)).elements.first?.key.family == .v6)
  }

  @Test("whatever arrives, reading it ends, and no byte outside of it is touched", arguments: 0..<20 as Range<UInt64>)
  func mutations(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let types = [
      RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWLINK, RTM_NEWADDR, RTM_NEWNEIGH, RTM_NEWNEXTHOP, Int(NLMSG_ERROR),
      Int(NLMSG_DONE),
    ]
    let vectors = EncodingTests.vectors.map(\.words.octets)
    var read = 0
    for round in 0..<500 {
      var bytes: [UInt8] = []
      for _ in 0..<3 {
        var octets = vectors[Int.random(in: 0..<vectors.count, using: &random)]
        if Bool.random(using: &random), let type = types.randomElement(using: &random) {
          octets[4] = UInt8(type)
          octets[5] = 0
        }
        bytes += octets
      }
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
          [0, 1, 3, 4, 5, 7, 8, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
      }
      if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      read += readAll(bytes)
    }
    // Most of the messages are good, or nothing would be read at all.
    #expect(read > 250, "seed \(seed)")
  }

  /// Reads bytes that end where the memory ends, in every way; gives how many messages were understood.
  private func readAll(_ bytes: [UInt8]) -> Int {
    GuardedMemory.withBytes(bytes) { bytes in
      let view = ByteView(bytes)
      var answers = BatchAnswers(first: 0, count: 5)
      try? answers.read(view)
      var understood = 0
      try? view.forEachMessage { message throws(MalformedMessage) in
        let event = try? KernelEvent(message: message)
        let entry = try? ForwardingEntry(message: message.payload)
        if event != nil || entry != nil { understood += 1 }
        _ = try? KernelRefusal(answer: message)
        _ = try? KernelRefusal(end: message)
        return true
      }
      return understood
    }
  }
}

/// Memory with an end that cannot be read past unnoticed: the page behind it is not there.
enum GuardedMemory {
  static func withBytes<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let page = Int(getpagesize())
    let size = (bytes.count + page - 1) / page * page
    guard let start = mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      start != MAP_FAILED
    else { preconditionFailure("no memory") }
    defer { munmap(start, size + page) }
    precondition(mprotect(start + size, page, PROT_NONE) == 0)
    let place = start + size - bytes.count
    bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: bytes.count) }
    return body(UnsafeRawBufferPointer(start: place, count: bytes.count))
  }
}
