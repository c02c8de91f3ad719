import CalicoModel
import Foundation
import IPAddressing
import Testing

/// A stored entry of a fixture: its path and its text in the form of etcd.
struct RecordedEntry: CustomTestStringConvertible {
  let path: String
  let text: String

  var testDescription: String { path }

  var bytes: [UInt8] { Array(text.utf8) }

  /// The entries of a file of lines `path<tab>text`.
  static func read(_ name: String) throws -> [RecordedEntry] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let file = try String(contentsOf: folder.appending(path: "Fixtures/\(name).tsv"), encoding: .utf8)
    return file.split(separator: "\n").map { line in
      let parts = line.split(separator: "\t", maxSplits: 1)
      return RecordedEntry(path: String(parts[0]), text: String(parts[1]))
    }
  }

  /// The text after decoding and encoding it; nil for what is never written.
  func rewritten() throws -> [UInt8]? {
    switch KeyPath.key(of: path) {
    case .block(let cidr): try IPAMBlock(decoding: bytes, expected: cidr).encoded()
    case .affinity: try BlockAffinity(decoding: bytes).encoded()
    case .handle: try IPAMHandle(decoding: bytes).encoded()
    case .configuration: try IPAMConfiguration(decoding: bytes).encoded()
    case .host, .resource, nil: nil
    }
  }
}

/// A network that a test relies on.
func network(_ text: String) throws -> CIDR { try #require(CIDR(text), "\(text)") }

func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }

/// The moment of the specification's examples.
let example = Timestamp(nanoseconds: 1_787_405_580_123_456_789)

extension IPAMBlock {
  /// A new block of `node-a`.
  init(_ text: String, reservation: HostReservation? = nil) throws {
    let owner = BlockOwner(.host, "node-a")
    self.init(cidr: try network(text), owner: owner, time: example, reservation: reservation)
  }

  /// A block as it is stored, with sensible members where a test gives none.
  init(
    stored text: String, allocations: String, unallocated: String, attributes: String = "null", numbers: String = "{}",
    more: String = ""
  ) throws {
    let document =
      #"{"cidr":"\#(text)","affinity":"host:node-a","allocations":\#(allocations),"unallocated":\#(unallocated),"#
      + #""attributes":\#(attributes),"sequenceNumber":1000,"sequenceNumberForAllocation":\#(numbers),"deleted":false\#(more)}"#
    try self.init(decoding: Array(document.utf8), expected: try network(text))
  }

  var text: String { String(decoding: encoded(), as: UTF8.self) }

  /// What invariants I2 and I3 of section 6.1 demand: ordinals are given out or queued, once, with an attribute.
  var isValid: Bool {
    let free = Set(unallocated.map { Int($0) })
    let count = attributes?.count ?? 0
    return free.count == unallocated.count
      && allocations.indices.allSatisfy { (allocations[$0] < 0) == free.contains($0) && allocations[$0] < count }
  }

  /// The addresses that are given out.
  var inUse: [String] { (0..<size).filter { allocations[$0] >= 0 }.map { address(at: $0).description } }
}
