public import IPAddressing
import JSON

/// The addresses that reservations keep from being given out automatically (Calico IPAM specification, sections 3.18
/// and 4.2).
public struct ReservedAddresses: Hashable, Sendable {
  /// The reserved networks, without host bits.
  public private(set) var cidrs: [CIDR] = []

  public init(_ cidrs: [CIDR] = []) {
    self.cidrs = cidrs
  }

  public var isEmpty: Bool { cidrs.isEmpty }

  /// Adds what an IPReservation reserves. An entry may be a network or a bare address; what is neither is passed over.
  ///
  /// - Parameter document: the resource's text.
  /// - Throws: ``ModelError`` when the text is malformed.
  public mutating func add(decoding document: [UInt8]) throws(ModelError) {
    var entries: [String] = []
    try JSONReader.readEntry(document) { reader throws(JSONError) in
      try reader.beginObject()
      while let key = try reader.nextKey() {
        guard key.is("spec"), try !reader.readNull() else {
          if !key.is("spec") { try reader.skipValue() }
          continue
        }
        try reader.beginObject()
        while let key = try reader.nextKey() {
          guard key.is("reservedCIDRs"), try !reader.readNull() else {
            if !key.is("reservedCIDRs") { try reader.skipValue() }
            continue
          }
          try reader.beginArray()
          while try reader.nextElement() { entries.append(try reader.readString()) }
        }
      }
    }
    for entry in entries {
      let text = Self.trimmed(entry)
      if let cidr = CIDR(text) ?? IPAddress(text).map({ CIDR(host: $0) }),
        let network = CIDR(cidr.network, prefixLength: cidr.prefixLength)
      {
        cidrs.append(network)
      }
    }
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// Whether an address is reserved.
  public func contains(_ address: IPAddress) -> Bool {
    cidrs.contains { $0.contains(address) }
  }

  /// Whether any address of a network is reserved.
  public func overlaps(_ cidr: CIDR) -> Bool {
    cidrs.contains { $0.overlaps(cidr) }
  }

  /// Whether every address of a network is reserved.
  public func covers(_ cidr: CIDR) -> Bool {
    var inside: [CIDR] = []
    for entry in cidrs {
      if entry.contains(cidr) { return true }
      if cidr.contains(entry) { inside.append(entry) }
    }
    guard !inside.isEmpty else { return false }
    // Sorted by address and then by length, a larger network comes before what it contains.
    inside.sort {
      $0.address == $1.address ? $0.prefixLength < $1.prefixLength : $0.address < $1.address
    }
    var next: UInt128? = cidr.network.number
    for entry in inside {
      guard let expected = next else { return true }
      if entry.address.number > expected { return false }
      if entry.last.number >= expected { next = entry.last.advanced(by: 1)?.number }
    }
    guard let next else { return true }
    return next > cidr.last.number
  }
}
