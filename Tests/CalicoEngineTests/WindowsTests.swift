import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.12.
@Suite("Hosts that keep addresses of every block")
struct WindowsTests {
  private let message = "No more free affine blocks and strict affinity enabled"

  private func cluster(_ mode: Mode) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("100.0.0.0/24")
    calico.configuration.strictAffinity = true
    return calico
  }

  @Test("77: the first three addresses and the last of every block are kept", arguments: modes)
  func kept(mode: Mode) async throws {
    let calico = cluster(mode)
    let assigned = try await calico.assign(v4: 256, reservation: .windows)
    #expect(assigned.v4.count == 240)
    let kept = [0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 191, 192, 193, 194, 255]
    #expect(Set(assigned.v4).isDisjoint(with: addresses("100.0.0.", kept)))
    #expect(assigned.messages == [message])
  }

  @Test("78: four hosts have a block each, and 59 further addresses", arguments: modes)
  func fourHosts(mode: Mode) async throws {
    let calico = cluster(mode)
    let hosts = ["windows-1", "windows-2", "linux-1", "linux-2"]
    for host in hosts {
      #expect(try await calico.assign(v4: 1, host: host, reservation: .windows).v4.count == 1)
    }
    for host in hosts {
      #expect(try await calico.assign(v4: 100, host: host, reservation: .windows).v4.count == 59)
    }
  }

  @Test("79: requests for two pools stay in the blocks they have", arguments: modes)
  func twoPools(mode: Mode) async throws {
    let calico = cluster(mode)
    calico.pool("200.0.0.0/24")
    let pools: [CIDR] = ["100.0.0.0/24", "200.0.0.0/24"]
    for _ in 0..<2 {
      for pool in pools {
        let assigned = try await calico.assign(v4: 1, v4Pools: [pool], reservation: .windows).v4
        #expect(assigned.count == 1)
        #expect(assigned.allSatisfy { pool.contains($0) })
      }
    }
    #expect(try calico.blocks().count == 2)
    #expect(try await calico.assign(v4: 238, v4Pools: [pools[1]], reservation: .windows).v4.count == 238)
    #expect(try await calico.assign(v4: 1, v4Pools: [pools[1]], reservation: .windows).v4.isEmpty)
    #expect(try calico.affinities().keys.count == 5)
  }

  @Test("80: what is kept is missing in both families, and the message says when", arguments: modes)
  func bothFamilies(mode: Mode) async throws {
    for (wanted, got) in [(256, 240), (257, 240), (240, 240)] {
      let calico = cluster(mode)
      calico.pool("fd80:24e2:f998:72d6::/120")
      let assigned = try await calico.assign(
        v4: wanted, v6: wanted, reservation: .windows, v6Reservation: .windows)
      #expect((assigned.v4.count, assigned.v6.count) == (got, got))
      #expect(assigned.error == nil)
      #expect(assigned.messages == (wanted > got ? [message, message] : []))
    }
  }

  @Test("80: a host that keeps more than a block has finds no pool", arguments: modes)
  func tooMuch(mode: Mode) async throws {
    let calico = cluster(mode)
    calico.pool("fd80:24e2:f998:72d6::/120")
    var reservation = HostReservation.windows
    reservation.startOfBlock = 32
    reservation.endOfBlock = 33
    let v4 = try await calico.assign(v4: 1, reservation: reservation)
    #expect(v4.error?.description == "cannot find a qualified ippool")
    #expect(v4.family(.v4) == nil)
    let v6 = try await calico.assign(v6: 1, v6Reservation: reservation)
    #expect(v6.error?.code == .noQualifiedPool)
    reservation.startOfBlock = 0
    reservation.endOfBlock = 0
    #expect(
      try await calico.assign(v4: 1, reservation: reservation).error?.description
        == "HostReservedAttr has wrong parameters")
  }
}
