import CalicoModel
import IPAddressing
import Testing

@Suite("Reserved addresses")
struct ResourceReservedAddressesTests {
  private static func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  private static func reserved(_ texts: String...) throws -> ReservedAddresses {
    ReservedAddresses(try texts.map { try cidr($0) })
  }

  @Test("81: all of a family covers everything of it, and nothing of the other")
  func families() throws {
    for (all, inside, outside) in [("0.0.0.0/0", "10.0.0.0/8", "fd00::/8"), ("::/0", "fd00::/8", "10.0.0.0/8")] {
      let reserved = try Self.reserved(all)
      let (inner, outer) = (try Self.cidr(inside), try Self.cidr(outside))
      #expect(reserved.covers(inner) && reserved.overlaps(inner) && reserved.contains(inner.address))
      #expect(!reserved.covers(outer) && !reserved.overlaps(outer) && !reserved.contains(outer.address))
    }
  }

  @Test("81: two halves cover the whole, but nothing beyond")
  func halves() throws {
    let reserved = try Self.reserved("192.168.1.64/26", "192.168.1.0/26")
    #expect(reserved.covers(try Self.cidr("192.168.1.0/25")))
    for other in ["192.168.1.0/24", "10.0.0.0/8", "192.168.2.64/26"] {
      #expect(!reserved.covers(try Self.cidr(other)))
    }
    #expect(reserved.overlaps(try Self.cidr("192.168.1.0/24")))
    #expect(!reserved.overlaps(try Self.cidr("192.168.2.64/26")))
  }

  @Test("81: an entry inside another does not count twice")
  func duplicates() throws {
    let reserved = try Self.reserved("10.0.0.0/26", "10.0.0.0/26", "10.0.0.0/27", "10.0.0.32/27")
    #expect(reserved.covers(try Self.cidr("10.0.0.0/26")))
    #expect(!reserved.covers(try Self.cidr("10.0.0.0/25")))
  }
}
