import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

/// Specification section 7.5. What both sets and clears a side, or demands two things of it, cannot be written down.
@Suite("Owner attributes")
struct OwnerAttributeTests {
  typealias Side = SetOwnerAttributes.Side

  private let handle = "vmi-handle-owner-attrs"
  private let source = ["pod": "source", "namespace": "vms"]
  private let target = ["pod": "target", "namespace": "vms"]
  private let isSource = SetOwnerAttributes.Condition.isOwned(by: .init(namespace: "vms", name: "source"))
  private let isTarget = SetOwnerAttributes.Condition.isOwned(by: .init(namespace: "vms", name: "target"))

  /// A cluster in which 10.0.0.1 belongs to the handle.
  private func cluster(_ mode: Mode) async throws -> Cluster {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/24")
    try await calico.assign(address: "10.0.0.1", handle: handle)
    return calico
  }

  private func set(
    _ owner: Side? = nil, alternate: Side? = nil, _ calico: Cluster, address: IPAddress = "10.0.0.1"
  ) async throws {
    try await calico.run(
      SetOwnerAttributes(address, handleID: handle, owner: owner, alternateOwner: alternate, time: calico.tick()))
  }

  private func expect(
    _ owner: [String: String], _ alternate: [String: String], _ calico: Cluster,
    at location: SourceLocation = #_sourceLocation
  ) async throws {
    let found = try await calico.attributes(of: "10.0.0.1")
    #expect(found.owner == owner, sourceLocation: location)
    #expect(found.alternateOwner == alternate, sourceLocation: location)
    #expect(found.handleID == handle, sourceLocation: location)
  }

  @Test("24: each side is set, replaced and cleared without the other", arguments: modes)
  func sides(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await set(Side(source), calico)
    try await expect(source, [:], calico)
    try await set(alternate: Side(target), calico)
    try await expect(source, target, calico)
    try await set(Side(target), alternate: Side(source), calico)
    try await expect(target, source, calico)
    try await set(Side([:]), calico)
    try await expect([:], source, calico)
    try await set(alternate: Side([:]), calico)
    try await expect([:], [:], calico)
    try await set(Side(source), alternate: Side(target), calico)
    try await set(Side(["pod": "other"]), calico)
    try await expect(["pod": "other"], target, calico)
    try await set(Side([:]), alternate: Side([:]), calico)
    try await expect([:], [:], calico)
  }

  @Test("25: a side changes only if it is what was expected", arguments: modes)
  func conditions(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await set(Side(source, if: .isEmpty), alternate: Side(target, if: .isEmpty), calico)
    try await expect(source, target, calico)
    for side in [Side([:], if: isTarget), Side([:], if: .isEmpty)] {
      #expect(try await failure { try await set(side, calico) }?.description == "update conflict: 10.0.0.1")
    }
    for side in [Side([:], if: isSource), Side([:], if: .isEmpty)] {
      #expect(try await failure { try await set(alternate: side, calico) }?.code == .conflict)
    }
    try await expect(source, target, calico)
    try await set(Side(source, if: isSource), alternate: Side(target, if: isTarget), calico)
    try await expect(source, target, calico)
  }

  @Test("26: another handle's address, a free one and one of no pool are refused", arguments: modes)
  func errors(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await calico.assign(address: "10.0.0.2", handle: "other")
    let foreign = try await failure { try await set(Side(source), calico, address: "10.0.0.2") }
    #expect(foreign?.description == "IP 10.0.0.2 is not assigned to handle \(handle)")
    let free = try await failure { try await set(Side(source), calico, address: "10.0.0.60") }
    #expect(free?.description == "resource does not exist: 10.0.0.60 with error: IP is unassigned")
    let noBlock = try await failure { try await set(Side(source), calico, address: "10.0.0.200") }
    #expect(noBlock?.code == .doesNotExist)
    let outside = try await failure { try await set(Side(source), calico, address: "192.168.1.1") }
    #expect(outside?.description == "the provided IP address 192.168.1.1 is not in a configured pool")
  }

  @Test("27: a live migration hands the address over", arguments: modes)
  func migration(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await set(Side(source), calico)
    try await set(alternate: Side(target, if: .isEmpty), calico)
    try await set(Side([:], if: isSource), calico)
    try await expect([:], target, calico)
    try await set(Side(target, if: .isEmpty), alternate: Side([:], if: isTarget), calico)
    try await expect(target, [:], calico)
  }

  @Test("28: both conditions are looked at before either side changes", arguments: modes)
  func bothOrNone(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await set(Side(source), alternate: Side(target), calico)
    let error = try await failure {
      try await set(Side([:], if: isSource), alternate: Side([:], if: isSource), calico)
    }
    #expect(error?.code == .conflict)
    try await expect(source, target, calico)
    try await set(nil, calico)
    try await expect(source, target, calico)
    try await set(Side([:], if: isSource), alternate: Side([:], if: isTarget), calico)
    try await expect([:], [:], calico)
  }

  @Test("28: addresses that shared their attributes before do not change with one of them (8.3, D12)", arguments: modes)
  func shared(mode: Mode) async throws {
    let calico = try await cluster(mode)
    try await calico.assign(address: "10.0.0.2", handle: handle)
    #expect(try calico.block("10.0.0.0/26").attributes?.count == 1)
    try await set(Side(source), calico)
    try await expect(source, [:], calico)
    #expect(try await calico.attributes(of: "10.0.0.2").owner.isEmpty)
  }
}
