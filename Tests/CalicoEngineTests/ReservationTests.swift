import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.2, item 11.
@Suite("Reservations")
struct ReservationTests {
  @Test("11: without reservations every address of a block is given out", arguments: modes)
  func none(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/26")
    #expect(try await calico.assign(v4: 64).v4.count == 64)
  }

  @Test("11: reserved addresses are passed over", arguments: modes)
  func reserved(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/26")
    reserve(calico)
    let assigned = try await calico.assign(v4: 64).v4
    #expect(assigned == addresses("10.0.0.", (0..<64).filter { ![1, 17, 32, 33, 34, 35].contains($0) }))
    // Whoever names an address gets it.
    try await calico.assign(address: "10.0.0.17")
  }

  @Test("11: a host's own reservation comes on top", arguments: modes)
  func withHostReservation(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/26")
    reserve(calico)
    #expect(try await calico.ensureBlock(reservation: .windows) == "10.0.0.0/26")
    let assigned = try await calico.assign(v4: 64).v4
    #expect(assigned.count == 64 - 4 - 5)
  }

  private func reserve(_ calico: Cluster) {
    calico.reserve(["10.0.0.1/32", "10.0.0.32/30"], name: "first")
    calico.reserve(["11.0.0.0/30", "10.0.0.17/32"], name: "second")
  }

  @Test("11: a block that is reserved as a whole is neither claimed nor borrowed from", arguments: modes)
  func wholeBlock(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/29", blockSize: 30)
    calico.reserve(["10.0.0.0/31", "10.0.0.2/31"])
    #expect(try await calico.assign(v4: 8).v4 == addresses("10.0.0.", 4..<8))
    #expect(try calico.blocks().keys.sorted { $0.address < $1.address } == ["10.0.0.4/30"])
    calico.reserve([])
    #expect(try await calico.assign(v4: 1).v4 == ["10.0.0.0"])
    calico.reserve(["10.0.0.0/30"])
    #expect(try await calico.assign(v4: 1, host: "host-b").v4.isEmpty)
    #expect(try await calico.assign(v4: 1).v4.isEmpty)
  }
}
