import CalicoModel
import IPAddressing
import Testing

@Suite("Values written as they were read")
struct ExactCodingTests {
  @Test("the specification's examples come back byte for byte", arguments: try RecordedEntry.read("worked-examples"))
  func workedExamples(entry: RecordedEntry) throws {
    guard let rewritten = try entry.rewritten() else { return }
    #expect(String(decoding: rewritten, as: UTF8.self) == entry.text)
  }

  @Test("what Calico wrote comes back byte for byte", arguments: try RecordedEntry.read("recorded-values"))
  func recordedValues(entry: RecordedEntry) throws {
    guard let rewritten = try entry.rewritten() else { return }
    #expect(String(decoding: rewritten, as: UTF8.self) == entry.text)
  }

  @Test("the fixtures have entries of every kind")
  func coverage() throws {
    let entries = try RecordedEntry.read("worked-examples") + RecordedEntry.read("recorded-values")
    #expect(try entries.filter { try $0.rewritten() != nil }.count > 60)
    for part in ["/ipv4/block/", "/ipv6/block/", "/handle/", "/config", "v2/host/", "v2/virtual/", "/ippools/"] {
      #expect(entries.contains { $0.path.contains(part) }, "\(part)")
    }
    #expect(entries.allSatisfy { KeyPath.key(of: $0.path).map { KeyPath.path(of: $0) } == $0.path })
  }

  @Test("every recorded pool and reservation can be read")
  func resources() throws {
    let entries = try RecordedEntry.read("worked-examples") + RecordedEntry.read("recorded-values")
    for entry in entries {
      switch KeyPath.key(of: entry.path) {
      case .resource(.ipPool, let name):
        let pool = try IPPool(decoding: entry.bytes, name: name)
        #expect(pool.cidr?.description == pool.writtenCIDR)
        #expect(entry.text.contains(#""blockSize":\#(pool.blockSize)"#))
        #expect(entry.text.contains(#""disabled":true"#) == pool.isDisabled)
        #expect(entry.text.contains(#""assignmentMode":"Manual""#) == !pool.isAutomatic)
      case .resource(.ipReservation, _):
        var reserved = ReservedAddresses()
        try reserved.add(decoding: entry.bytes)
        #expect(!reserved.isEmpty)
      default: break
      }
    }
  }
}
