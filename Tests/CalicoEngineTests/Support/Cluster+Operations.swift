import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

extension Cluster {
  /// AutoAssign (section 3.7).
  func assign(
    v4: Int = 0, v6: Int = 0, handle: String? = nil, attributes: [String: String] = [:], host: String = "host-a",
    use: IPPool.AllowedUse = .workload, v4Pools: [CIDR] = [], v6Pools: [CIDR] = [], blockLimit: Int = 0,
    maxPerHandle: Int = 0, namespace: [String: String] = [:], reservation: HostReservation? = nil,
    v6Reservation: HostReservation? = nil, isAllOrNothing: Bool = false
  ) async throws -> AutoAssignResult {
    needNode(host)
    var request = AutoAssignRequest(
      [
        .init(.v4, count: v4, pools: v4Pools, reservation: reservation),
        .init(.v6, count: v6, pools: v6Pools, reservation: v6Reservation),
      ], handleID: handle, attributes: attributes, host: host, use: use, time: tick())
    request.maxBlocksPerHost = blockLimit
    request.maxPerHandle = maxPerHandle
    request.namespaceLabels = namespace
    request.isAllOrNothing = isAllOrNothing
    return try await run(try AutoAssign(request))
  }

  /// AssignIP (section 3.9).
  @discardableResult
  func assign(
    address: IPAddress, handle: String? = nil, attributes: [String: String] = [:], host: String = "host-a",
    use: IPPool.AllowedUse? = .workload, maxPerHandle: Int = 0
  ) async throws -> AcquiredAddress {
    var request = AssignAddress.Request(
      address, handleID: handle, attributes: attributes, host: host, use: use, time: tick())
    request.maxPerHandle = maxPerHandle
    return try await run(AssignAddress(request))
  }

  /// ReleaseIPs (section 3.10).
  func release(_ options: [ReleaseOption]) async throws -> ReleaseAddresses.Result {
    try await run(ReleaseAddresses(options, time: tick()))
  }

  /// ReleaseIPs without conditions.
  func release(_ addresses: [IPAddress]) async throws -> ReleaseAddresses.Result {
    try await release(addresses.map { ReleaseOption($0) })
  }

  /// ReleaseByHandle (section 3.11): how many addresses were given back; nil when there is no such handle.
  @discardableResult
  func release(handle: String) async throws -> Int? {
    try await run(ReleaseByHandle([handle], time: tick())).counts[handle]
  }

  /// IPsByHandle (section 3.11).
  func addresses(of handle: String) async throws -> [IPAddress] {
    try await run(AddressesOfHandle(handle, time: tick())).map(\.address.address)
  }

  /// GetAssignmentAttributes (section 3.13).
  func attributes(of address: IPAddress) async throws -> AttributesOfAddress.Result {
    try await run(AttributesOfAddress(address, time: tick()))
  }

  /// ClaimAffinity (section 3.14).
  func claim(
    _ network: CIDR, for host: String, _ kind: BlockOwner.Kind = .host
  ) async throws -> ClaimAffinity.Result {
    try await run(ClaimAffinity(network, for: BlockOwner(kind, host), time: tick()))
  }

  /// The ReleaseAffinity family (section 3.15).
  @discardableResult
  func giveUp(_ target: ReleaseAffinities.Target, mustBeEmpty: Bool = false) async throws -> [CIDR] {
    try await run(ReleaseAffinities(target, mustBeEmpty: mustBeEmpty, time: tick()))
  }

  /// EnsureBlock (section 3.16), for one family.
  func ensureBlock(
    _ family: AddressFamily = .v4, host: String = "host-a", pools: [CIDR] = [], reservation: HostReservation
  ) async throws -> CIDR {
    needNode(host)
    return try await run(
      try EnsureBlock(
        host: host, AutoAssignRequest.Family(family, count: 0, pools: pools, reservation: reservation), time: tick()))
  }

  private func needNode(_ host: String) {
    if store.dump()[KeyPath.path(of: .resource(.node, host))] == nil { node(host) }
  }
}

extension AutoAssignResult {
  /// The IPv4 addresses.
  var v4: [IPAddress] { addresses(.v4) }

  /// The IPv6 addresses.
  var v6: [IPAddress] { addresses(.v6) }

  func addresses(_ family: AddressFamily) -> [IPAddress] {
    self.family(family)?.addresses.map(\.address.address) ?? []
  }

  /// Why there are fewer than wanted, in both families.
  var messages: [String] { families.flatMap(\.messages) }
}

extension BlockOwner {
  /// A node.
  static func host(_ name: String) -> BlockOwner { BlockOwner(.host, name) }
}

extension HostReservation {
  /// What a Windows host keeps of every block (section 2.5).
  static let windows = HostReservation(
    startOfBlock: 3, endOfBlock: 1, handleID: AllocationAttribute.windowsReservedHandle, note: "windows host rsvd")

  /// Two addresses at the start of every block and one at the end, under the handle that does not count as use.
  static let three = HostReservation(
    startOfBlock: 2, endOfBlock: 1, handleID: AllocationAttribute.windowsReservedHandle, note: "ipam ut")
}
