import CalicoModel
import IPAddressing
import Testing

// Section 4.1.
@Suite("Pools")
struct IPPoolTests {
  private func pool(_ specification: String, _ more: String = "") throws(ModelError) -> IPPool {
    let text = #"{"kind":"IPPool","metadata":{"name":"other"},"spec":{\#(specification)}\#(more)}"#
    return try IPPool(decoding: Array(text.utf8), name: "pool1")
  }

  @Test("the modes of encapsulation are Never unless they are written, and nothing when unknown")
  func encapsulation() throws {
    let plain = try pool(#""cidr":"10.65.0.0/16","ipipMode":"""#)
    #expect(plain.ipipMode == .never)
    #expect(plain.vxlanMode == .never)
    let wrapped = try pool(#""cidr":"10.65.0.0/16","ipipMode":"Always","vxlanMode":"CrossSubnet""#)
    #expect(wrapped.ipipMode == .always)
    #expect(wrapped.vxlanMode == .crossSubnet)
    #expect(try pool(#""cidr":"10.65.0.0/16","vxlanMode":"always""#).vxlanMode == nil)
  }

  @Test("what is absent has its default")
  func defaults() throws {
    let v4 = try pool(#""cidr":"10.65.0.0/16""#)
    #expect(v4.name == "pool1")
    #expect(v4.blockSize == 26)
    #expect(v4.family == .v4)
    #expect(v4.nodeSelector == "")
    #expect(v4.namespaceSelector == "")
    #expect(v4.allowedUses == [.workload, .tunnel])
    #expect(v4.isAutomatic)
    #expect(v4.isEnabled)
    #expect(try pool(#""cidr":"fd00::/64""#).blockSize == 122)
    #expect(try pool(#""cidr":"fd00::/64","blockSize":0"#).blockSize == 122)
    let nulls = #""cidr":"10.65.0.0/16","blockSize":null,"disabled":null,"allowedUses":null,"nodeSelector":null"#
    #expect(try pool(nulls) == v4)
    #expect(try pool(#""cidr":"10.65.0.0/16","allowedUses":[]"#) == v4)
  }

  @Test("every member is read, and unknown ones are passed over")
  func members() throws {
    let pool = try pool(
      #""x":{"cidr":"1.0.0.0/8"},"cidr":"10.65.0.0/16","blockSize":29,"disabled":true,"nodeSelector":"!all()","#
        + #""namespaceSelector":"a == 'b'","allowedUses":["LoadBalancer","Later","Tunnel"],"assignmentMode":"Manual""#)
    #expect(pool.writtenCIDR == "10.65.0.0/16")
    #expect(pool.blockSize == 29)
    #expect(pool.isDisabled)
    #expect(!pool.isEnabled)
    #expect(pool.nodeSelector == "!all()")
    #expect(pool.namespaceSelector == "a == 'b'")
    #expect(pool.allowedUses == [.loadBalancer, .tunnel])
    #expect(!pool.isAutomatic)
    #expect(try self.pool(#""cidr":"10.65.0.0/16","allowedUses":["Later"]"#).allowedUses == [])
  }

  @Test("a network that is written otherwise is kept for messages, and compared as what it is")
  func writtenNetworks() throws {
    let host = try pool(#""cidr":"10.0.0.1/24""#)
    #expect(host.writtenCIDR == "10.0.0.1/24")
    #expect(host.cidr == (try network("10.0.0.0/24")))
    let v6 = try pool(#""cidr":"5001:0:0:1b::/64""#)
    #expect(v6.cidr?.description == "5001:0:0:1b::/64")
    for text in ["", "10.0.0.0", "x/24", "10.0.0.0/33"] {
      let broken = try pool(#""cidr":"\#(text)""#)
      #expect(broken.cidr == nil)
      #expect(broken.family == nil)
      #expect(!broken.isEnabled)
    }
  }

  // Section 4.1.6.
  @Test("a pool that is being deleted, or of which a condition says so, gives nothing")
  func enabled() throws {
    let cidr = #""cidr":"10.65.0.0/16""#
    func isEnabled(_ status: String) throws -> Bool { try pool(cidr, #","status":\#(status)"#).isEnabled }
    #expect(try !isEnabled(#"{"conditions":[{"type":"Allocatable","status":"False"}]}"#))
    #expect(try !isEnabled(#"{"conditions":[{"status":"True","type":"X"},{"status":"False","type":"Allocatable"}]}"#))
    for status in [
      #"{"conditions":[{"type":"Allocatable","status":"True"}]}"#, #"{"conditions":[{"type":"X","status":"False"}]}"#,
      #"{"conditions":[{"type":"Allocatable","status":"Unknown","reason":"r"}]}"#, #"{"conditions":null}"#, "null",
      "{}",
    ] {
      #expect(try isEnabled(status), "\(status)")
    }
    let deleting = #"{"metadata":{"deletionTimestamp":"2026-08-22T13:33:00Z"},"spec":{\#(cidr)}}"#
    #expect(try IPPool(decoding: Array(deleting.utf8), name: "p").isDeleting)
    let obstacles: [(String, IPPool.Obstacle?)] = [
      ("\(cidr)}", nil), (#"\#(cidr),"disabled":true}"#, .disabled), (#"\#(cidr),"blockSize":8}"#, .blockSize),
      (#"\#(cidr)},"status":{"conditions":[{"type":"Allocatable","status":"False"}]}"#, .notAllocatable),
      (#"\#(cidr)},"metadata":{"deletionTimestamp":"2026-08-22T13:33:00Z"}"#, .beingDeleted), ("}", .blockSize),
    ]
    for (members, obstacle) in obstacles {
      let pool = try IPPool(decoding: Array(#"{"spec":{\#(members)}"#.utf8), name: "p")
      #expect(pool.obstacle == obstacle, "\(members)")
      #expect(pool.isEnabled == (obstacle == nil), "\(members)")
    }
    let notDeleting = #"{"metadata":{"deletionTimestamp":null,"x":1},"spec":{\#(cidr)}}"#
    #expect(try IPPool(decoding: Array(notDeleting.utf8), name: "p").isEnabled)
  }

  @Test("the block of an address is cut from the pool")
  func blocks() throws {
    let pool = try pool(#""cidr":"10.65.0.0/16","blockSize":29"#)
    #expect(try pool.block(containing: address("10.65.3.77")) == network("10.65.3.72/29"))
    #expect(try pool.block(containing: address("10.66.0.0")) == nil)
    #expect(try pool.block(containing: address("fd00::")) == nil)
    #expect(try self.pool(#""cidr":"10.65.0.0/16","blockSize":99"#).block(containing: address("10.65.0.0")) == nil)
  }

  @Test(
    "what is no pool is malformed",
    arguments: [
      "", "[]", #"{"spec":[]}"#, #"{"spec":{"blockSize":"26"}}"#, #"{"spec":{"disabled":"false"}}"#,
      #"{"spec":{"cidr":1}}"#,
    ])
  func malformed(text: String) {
    #expect(throws: ModelError.self) { try IPPool(decoding: Array(text.utf8), name: "p") }
  }
}

// Section 3.18.
@Suite("Reserved addresses")
struct ReservedAddressesTests {
  private func reserved(_ entries: String...) throws -> ReservedAddresses {
    ReservedAddresses(try entries.map { try network($0) })
  }

  @Test("81: everything covers everything of its family")
  func everything() throws {
    let all = try reserved("0.0.0.0/0")
    for text in ["0.0.0.0/0", "10.0.0.0/8", "255.255.255.255/32", "192.168.0.0/17"] {
      #expect(try all.covers(network(text)))
      #expect(try all.overlaps(network(text)))
    }
    #expect(try all.contains(address("255.255.255.255")))
    #expect(try !all.covers(network("::/0")))
    #expect(try !all.contains(address("::")))
    let all6 = try reserved("::/0")
    #expect(try all6.covers(network("::/0")))
    #expect(try all6.covers(network("fd00::/122")))
    #expect(try !all6.covers(network("0.0.0.0/0")))
  }

  @Test("81: two halves cover the whole, and nothing beside it")
  func halves() throws {
    let halves = try reserved("192.168.1.64/26", "192.168.1.0/26")
    #expect(try halves.covers(network("192.168.1.0/25")))
    for text in ["192.168.1.0/24", "10.0.0.0/8", "192.168.2.64/26"] { #expect(try !halves.covers(network(text))) }
    #expect(try halves.overlaps(network("192.168.1.0/24")))
    #expect(try halves.overlaps(network("192.168.1.70/32")))
    #expect(try !halves.overlaps(network("192.168.2.64/26")))
  }

  @Test("81: networks within others and repeated ones count once")
  func duplicates() throws {
    let reserved = try reserved("10.0.0.0/25", "10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/24", "11.0.0.0/8")
    #expect(try reserved.covers(network("10.0.0.0/24")))
    #expect(try reserved.covers(network("11.0.0.0/8")))
    #expect(try !reserved.covers(network("10.0.0.0/23")))
    let overlapping = try self.reserved("10.0.0.0/26", "10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/26", "10.0.0.64/26")
    #expect(try overlapping.covers(network("10.0.0.0/25")))
    #expect(try !overlapping.covers(network("10.0.0.0/24")))
    #expect(try self.reserved("10.0.0.0/26", "10.0.0.0/28", "10.0.0.64/26").covers(network("10.0.0.0/25")))
    #expect(try !self.reserved("10.0.0.0/26", "10.0.0.128/25").covers(network("10.0.0.0/24")), "a gap")
    #expect(try !self.reserved("10.0.0.64/26", "10.0.0.128/25").covers(network("10.0.0.0/24")), "a gap at the start")
  }

  @Test("the last addresses of a family can be covered in parts")
  func ends() throws {
    #expect(try reserved("0.0.0.0/1", "128.0.0.0/1").covers(network("0.0.0.0/0")))
    #expect(try reserved("0.0.0.0/1", "128.0.0.0/1", "192.0.0.0/2").covers(network("0.0.0.0/0")))
    #expect(try reserved("::/1", "8000::/1").covers(network("::/0")))
    #expect(try !reserved("128.0.0.0/1").covers(network("0.0.0.0/0")))
    #expect(try reserved("255.255.255.254/32", "255.255.255.255/32").covers(network("255.255.255.254/31")))
  }

  @Test("without entries nothing is reserved")
  func nothing() throws {
    let none = ReservedAddresses()
    #expect(none.isEmpty)
    #expect(try !none.covers(network("10.0.0.0/32")))
    #expect(try !none.overlaps(network("0.0.0.0/0")))
    #expect(try !none.contains(address("10.0.0.0")))
  }

  @Test("82: entries are trimmed, bare addresses are whole networks, and what is malformed is passed over")
  func parsing() throws {
    var reserved = ReservedAddresses()
    let text =
      #"{"kind":"IPReservation","spec":{"x":[],"reservedCIDRs":["10.1.0.1","fd00::1"," 10.2.0.0/16\t","","  ","x","#
      + #""10.3.0.0/33","10.4.0.9/24","1.2.3"]}}"#
    try reserved.add(decoding: Array(text.utf8))
    try reserved.add(decoding: Array(#"{"spec":{"reservedCIDRs":["10.5.0.0/32"]}}"#.utf8))
    #expect(
      reserved.cidrs.map(\.description)
        == ["10.1.0.1/32", "fd00::1/128", "10.2.0.0/16", "10.4.0.0/24", "10.5.0.0/32"])
    for empty in ["{}", #"{"spec":null}"#, #"{"spec":{}}"#, #"{"spec":{"reservedCIDRs":null}}"#] {
      var none = ReservedAddresses()
      try none.add(decoding: Array(empty.utf8))
      #expect(none.isEmpty)
    }
    for broken in ["", "[]", #"{"spec":{"reservedCIDRs":["10.0.0.0/8",1]}}"#, #"{"spec":[]}"#] {
      let before = reserved
      #expect(throws: ModelError.self) { try reserved.add(decoding: Array(broken.utf8)) }
      #expect(reserved == before)
    }
  }
}
