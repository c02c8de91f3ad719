public import IPAddressing
import JSON

/// How many addresses a caller-chosen identifier holds in each block: an upper bound, never the truth, which is in the
/// blocks (Calico IPAM specification, sections 1.8 and 3.8).
public struct IPAMHandle: Hashable, Sendable {
  /// The number of addresses by block; every number is positive.
  public private(set) var counts: [CIDR: Int]
  /// Whether the entry is being deleted, where deletion takes two writes.
  public var isDeleted = false
  /// Entries whose key is no CIDR or whose number is none, kept as they are.
  private var oddCounts: [String: Int] = [:]
  var unknown = UnknownMembers()

  public init(_ counts: [CIDR: Int] = [:]) {
    self.counts = counts
  }

  /// Whether no block is listed: such a handle is to be deleted.
  public var isEmpty: Bool { counts.isEmpty && oddCounts.isEmpty }

  /// How many addresses of a family the handle is said to hold.
  public func count(_ family: AddressFamily) -> Int {
    var sum = 0
    for (cidr, count) in counts where cidr.address.family == family {
      sum = Self.sum(sum, count)
    }
    return sum
  }

  /// Counts addresses of a block in.
  public mutating func increment(_ block: CIDR, by number: Int) {
    counts[block] = Self.sum(counts[block] ?? 0, number)
  }

  /// The sum, or the greatest number there is: what others wrote must not end the program.
  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Counts addresses of a block out.
  ///
  /// - Returns: false, and nothing changed, when there are not that many.
  public mutating func decrement(_ block: CIDR, by number: Int) -> Bool {
    guard let count = counts[block], count >= number else { return false }
    counts[block] = count == number ? nil : count - number
    return true
  }

  /// Sets the number of addresses of a block; 0 removes the entry.
  public mutating func setCount(_ number: Int, of block: CIDR) {
    counts[block] = number > 0 ? number : nil
  }

  /// Reads the form of etcd and SQLite.
  ///
  /// - Parameter document: the stored text.
  /// - Throws: ``ModelError`` when it is malformed.
  public init(decoding document: [UInt8]) throws(ModelError) {
    self.init()
    try JSONReader.readEntry(document) { reader throws(JSONError) in
      try reader.beginObject()
      while let key = try reader.nextKey() {
        if key.is("block") {
          try readCounts(from: &reader)
        } else if key.is("deleted") {
          isDeleted = try reader.readFlag()
        } else {
          try unknown.take(key, from: &reader, of: document)
        }
      }
    }
  }

  private mutating func readCounts(from reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      let number: Int = try reader.readInteger()
      // Two spellings of one network are one block.
      if let cidr = CIDR(key.string), !cidr.hasHostBits, number > 0 {
        increment(cidr, by: number)
      } else {
        oddCounts[key.string] = number
      }
    }
  }

  /// The form of etcd and SQLite.
  public func encoded() -> [UInt8] {
    var texts = oddCounts
    for (cidr, count) in counts {
      texts[cidr.description] = count
    }
    var writer = JSONWriter(reservingCapacity: 40 + 32 * texts.count)
    writer.literal("{\"block\":{")
    var isFirst = true
    for text in texts.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      if !isFirst { writer.literal(",") }
      isFirst = false
      writer.string(text)
      writer.literal(":")
      writer.integer(texts[text] ?? 0)
    }
    writer.literal("},\"deleted\":")
    writer.bool(isDeleted)
    unknown.write(to: &writer)
    writer.literal("}")
    return writer.bytes
  }
}
