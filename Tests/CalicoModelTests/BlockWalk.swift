import CalicoModel
import IPAddressing
import TestSupport
import Testing

/// Random operations on one block, compared with a model of three facts an address: free, owned or cooling down.
struct BlockWalk {
  private enum Fact: Equatable {
    case free
    case owned(String)
    case cooling(Timestamp)
  }

  private let seed: UInt64
  private var generator: SeededGenerator
  private var block: IPAMBlock
  private var facts: [Fact]
  private var time = example.truncated
  private let cooldown = 20

  init(seed: UInt64) throws {
    self.seed = seed
    generator = SeededGenerator(seed: seed)
    block = try IPAMBlock("10.65.0.0/28")
    facts = Array(repeating: .free, count: 16)
  }

  func run() throws {
    var walk = self
    for round in 0..<2_000 { try walk.step(round) }
  }

  private mutating func step(_ round: Int) throws {
    time = time.advanced(bySeconds: Int64.random(in: 0...5, using: &generator))
    collect()
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: assign()
    case 1: assignOne()
    case 2: try release()
    case 3: releaseByHandle()
    default: break
    }
    block.sequenceNumber += 1
    #expect(block.isValid, "seed \(seed), round \(round)")
    #expect(present == facts, "seed \(seed), round \(round)")
    // What is stored is what there is.
    #expect(try IPAMBlock(decoding: block.encoded(), expected: block.cidr) == block, "seed \(seed), round \(round)")
  }

  private var present: [Fact] {
    (0..<block.size).map { ordinal in
      guard let attribute = block.attribute(at: ordinal) else { return .free }
      return attribute.releasedAt.map { .cooling($0) } ?? .owned(attribute.handleID ?? "")
    }
  }

  private mutating func collect() {
    let isCold = facts.map { fact in
      guard case .cooling(let since) = fact else { return false }
      return since < time.advanced(bySeconds: -Int64(cooldown))
    }
    for ordinal in facts.indices where isCold[ordinal] { facts[ordinal] = .free }
    let hasChanged = block.collect(time: time, cooldown: cooldown)
    #expect(hasChanged == isCold.contains(true), "seed \(seed)")
  }

  private mutating func handle() -> String { "h\(Int.random(in: 0..<4, using: &generator))" }

  private mutating func assign() {
    let (handle, count) = (handle(), Int.random(in: 0...4, using: &generator))
    let expected = block.unallocated.prefix(count).map { Int($0) }
    let taken = block.assign(count, attribute: AllocationAttribute(handleID: handle))
    #expect(taken == expected, "seed \(seed)")
    for ordinal in taken { facts[ordinal] = .owned(handle) }
  }

  private mutating func assignOne() {
    let (handle, ordinal) = (handle(), Int.random(in: 0..<16, using: &generator))
    let isDone = block.assign(ordinal: ordinal, attribute: AllocationAttribute(handleID: handle))
    #expect(isDone == (facts[ordinal] == .free), "seed \(seed)")
    if isDone { facts[ordinal] = .owned(handle) }
  }

  private mutating func release() throws {
    var ordinals: Set<Int> = []
    for _ in 0..<3 { ordinals.insert(Int.random(in: 0..<16, using: &generator)) }
    let options = ordinals.map { ReleaseOption(block.address(at: $0)) }
    let outcome = try block.release(options, time: time, cooldown: cooldown)
    let owned = ordinals.sorted().filter { if case .owned = facts[$0] { true } else { false } }
    #expect(outcome.released == owned, "seed \(seed)")
    for ordinal in owned { facts[ordinal] = .cooling(time) }
  }

  private mutating func releaseByHandle() {
    let handle = handle()
    let ordinals = block.ordinals(ofHandle: handle)
    #expect(ordinals == facts.indices.filter { facts[$0] == .owned(handle) }, "seed \(seed)")
    block.release(ordinals, time: time, cooldown: cooldown, renumbers: false)
    for ordinal in ordinals { facts[ordinal] = .cooling(time) }
  }
}
