public import IPAddressing
import JSON

// The form that etcd and SQLite keep (Calico IPAM specification, section 1.6.1).

extension IPAMBlock {
  /// Reads a block.
  ///
  /// - Parameters:
  ///   - document: the stored text.
  ///   - expected: the network that the entry's key names.
  /// - Throws: ``ModelError`` when the text is malformed, or contradicts itself so that nobody may change it.
  public init(decoding document: [UInt8], expected: CIDR) throws(ModelError) {
    try self.init(unchecked: document, expected: expected)
    if let reason = inconsistency { throw ModelError(.corrupt, reason) }
  }

  /// Reads a block that may contradict itself.
  init(unchecked document: [UInt8], expected: CIDR) throws(ModelError) {
    var other: String?
    self = try JSONReader.readEntry(document) { reader throws(JSONError) in
      try IPAMBlock(from: &reader, of: document, expected, &other)
    }
    // Other readers go by the text: the same ordinals would be other addresses to them.
    if let other { throw ModelError(.corrupt, "the entry is about \(other)") }
  }

  // `other` is set to the network in the text when that is not the expected one.
  private init(
    from reader: inout JSONReader, of document: [UInt8], _ expected: CIDR, _ other: inout String?
  ) throws(JSONError) {
    var block = IPAMBlock(
      cidr: expected, allocations: [], unallocated: [], sequenceNumber: 0, numbers: AllocationNumbers(size: 0))
    block.allocationNumbers.isNull = true
    // The map of numbers is read last, because its size is that of the allocations.
    var numbers: JSONReader?
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("allocations") {
        block.allocations = try reader.readOrdinals(reserving: expected.hostBits)
      } else if key.is("unallocated") {
        block.unallocated = try reader.readOrdinals(reserving: expected.hostBits)
      } else if key.is("attributes") {
        block.attributes = try Self.attributes(from: &reader, of: document)
      } else if key.is("sequenceNumberForAllocation") {
        numbers = reader
        try reader.skipValue()
      } else if key.is("sequenceNumber") {
        block.sequenceNumber = try reader.readNull() ? 0 : try reader.readInteger()
      } else if key.is("affinity") {
        block.affinity = try reader.readNull() ? nil : try reader.readString()
      } else if key.is("affinity_claim_time") {
        block.affinityClaimTime = try reader.readTimestamp()
      } else if key.is("deleted") {
        block.isDeleted = try reader.readFlag()
      } else if key.is("cidr") {
        let written = try reader.readString()
        if CIDR(written) != expected { other = written }
      } else {
        try block.unknown.take(key, from: &reader, of: document)
      }
    }
    block.allocationNumbers = AllocationNumbers(size: block.allocations.count)
    if var numbers { try block.readNumbers(from: &numbers) } else { block.allocationNumbers.isNull = true }
    self = block
  }

  private static func attributes(
    from reader: inout JSONReader, of document: [UInt8]
  ) throws(JSONError) -> [AllocationAttribute]? {
    if try reader.readNull() { return nil }
    var attributes: [AllocationAttribute] = []
    try reader.beginArray()
    while try reader.nextElement() {
      attributes.append(try AllocationAttribute(from: &reader, of: document))
    }
    return attributes
  }

  private mutating func readNumbers(from reader: inout JSONReader) throws(JSONError) {
    if try reader.readNull() {
      allocationNumbers.isNull = true
      return
    }
    try reader.beginObject()
    while let key = try reader.nextKey() {
      let number: UInt64 = try reader.readInteger()
      // An entry for no ordinal of this block says nothing, and the first other writer drops it.
      if let ordinal = key.ordinal, ordinal < size { allocationNumbers[ordinal] = number }
    }
  }

  /// Why nobody may change this block; nil when it is sound enough (invariants I2 and I3 of section 6.1).
  ///
  /// What `check` would report but any change leaves no worse, such as an attribute that nothing refers to, is sound.
  private var inconsistency: String? {
    guard cidr.hostBits <= 12 else { return "a block of more than \(Self.maximumSize) addresses" }
    guard size == 1 << cidr.hostBits else {
      return "\(size) allocations where \(cidr) has \(1 << cidr.hostBits) addresses"
    }
    let count = attributes?.count ?? 0
    if let ordinal = allocations.firstIndex(where: { Int($0) >= count || $0 < -1 }) {
      let index = allocations[ordinal] < 0 ? "with a negative number" : "\(allocations[ordinal])"
      return "allocation \(ordinal) indexes a nonexistent attribute \(index)"
    }
    var isFree = [Bool](repeating: false, count: size)
    for ordinal in unallocated {
      guard ordinal >= 0, ordinal < size else {
        return "ordinal \(ordinal) appears in the Unallocated array but is out of the block"
      }
      if isFree[Int(ordinal)] { return "ordinal \(ordinal) appears more than once in Unallocated array" }
      if allocations[Int(ordinal)] >= 0 { return "ordinal \(ordinal) is allocated but appears in Unallocated" }
      isFree[Int(ordinal)] = true
    }
    return nil
  }

  /// The block's text.
  public func encoded() -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 128 + 12 * size + 320 * (attributes?.count ?? 0))
    writer.literal("{\"cidr\":")
    writer.string(cidr.description)
    writer.literal(",\"affinity\":")
    if let affinity { writer.string(affinity) } else { writer.literal("null") }
    if let affinityClaimTime {
      writer.literal(",\"affinity_claim_time\":")
      writer.string(affinityClaimTime.description)
    }
    writer.literal(",\"allocations\":")
    writer.ordinals(allocations)
    writer.literal(",\"unallocated\":")
    writer.ordinals(unallocated)
    writer.literal(",\"attributes\":")
    write(attributes, to: &writer)
    writer.literal(",\"sequenceNumber\":")
    writer.integer(sequenceNumber)
    writer.literal(",\"sequenceNumberForAllocation\":")
    write(allocationNumbers, to: &writer)
    writer.literal(",\"deleted\":")
    writer.bool(isDeleted)
    unknown.write(to: &writer)
    writer.literal("}")
    return writer.bytes
  }

  private func write(_ attributes: [AllocationAttribute]?, to writer: inout JSONWriter) {
    guard let attributes else { return writer.literal("null") }
    writer.literal("[")
    for index in attributes.indices {
      if index > 0 { writer.literal(",") }
      writer.raw(attributes[index].text)
    }
    writer.literal("]")
  }

  /// Writes the map in the order of its keys as text: 0, 1, 10, 11, 2.
  private func write(_ numbers: AllocationNumbers, to writer: inout JSONWriter) {
    guard !numbers.isNull else { return writer.literal("null") }
    writer.literal("{")
    var isFirst = true
    var ordinal = 0
    for _ in 0..<numbers.size {
      if let number = numbers[ordinal] {
        if !isFirst { writer.literal(",") }
        isFirst = false
        writer.literal("\"")
        writer.integer(ordinal)
        writer.literal("\":")
        writer.integer(number)
      }
      ordinal = Self.textSuccessor(of: ordinal, below: numbers.size)
    }
    writer.literal("}")
  }

  /// The number that follows another in the order of their decimal texts, among those below a bound.
  private static func textSuccessor(of number: Int, below bound: Int) -> Int {
    if number == 0 { return 1 }
    if number * 10 < bound { return number * 10 }
    var next = number + 1
    if number % 10 == 9 || next >= bound {
      // Back to a shorter text, then the next one of its length.
      next = number / 10 + 1
      while next % 10 == 0 { next /= 10 }
    }
    return next
  }
}

extension JSONReader {
  /// Takes an array of ordinals and indices, with -1 for null and -2 for what is below zero, which nothing allows.
  fileprivate mutating func readOrdinals(reserving bits: Int) throws(JSONError) -> [Int32] {
    var ordinals: [Int32] = []
    if try readNull() { return ordinals }
    ordinals.reserveCapacity(1 << min(bits, 12))
    try beginArray()
    while try nextElement() {
      if try readNull() {
        ordinals.append(-1)
      } else {
        let ordinal: Int32 = try readInteger()
        ordinals.append(ordinal < 0 ? -2 : ordinal)
      }
    }
    return ordinals
  }
}

extension JSONWriter {
  fileprivate mutating func ordinals(_ ordinals: [Int32]) {
    literal("[")
    for index in ordinals.indices {
      if index > 0 { literal(",") }
      if ordinals[index] < 0 { literal("null") } else { integer(ordinals[index]) }
    }
    literal("]")
  }
}

extension JSONText {
  /// The number that the text is, at most four digits without leading zeros.
  fileprivate var ordinal: Int? {
    withUTF8 { bytes in
      guard (1...4).contains(bytes.count), bytes.count == 1 || bytes[0] != UInt8(ascii: "0") else { return nil }
      var value = 0
      for byte in bytes {
        guard case let digit = byte &- UInt8(ascii: "0"), digit <= 9 else { return nil }
        value = value * 10 + Int(digit)
      }
      return value
    }
  }
}
