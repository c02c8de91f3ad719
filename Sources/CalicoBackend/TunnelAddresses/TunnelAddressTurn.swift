import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

/// One attempt to bring a node's tunnel addresses into line: the Node as it was read, and what is done for it.
struct TunnelAddressTurn<Store: Datastore> {
  let parent: TunnelAddresses<Store>
  /// Whether no other attempt follows, so that a handle that counts what is not there must not stop this one.
  let isLast: Bool
  private(set) var assigned: [TunnelAddresses<Store>.Assigned] = []
  private(set) var changes: [String] = []

  init(_ parent: TunnelAddresses<Store>, isLast: Bool) {
    self.parent = parent
    self.isLast = isLast
  }

  private var name: String { parent.node }

  /// Reads, assigns and releases, and writes the Node if it is different then.
  ///
  /// - Returns: the addresses that the Node has now.
  /// - Throws: what kept it from being done; what was assigned until then is in ``assigned``.
  mutating func run() async throws -> [TunnelAddressKind: IPAddress] {
    var node: Resource
    do {
      node = try await parent.client.get(.node, name)
    } catch {
      throw CalicoFailure(
        "failed to fetch node resource '\(name)': \(error)",
        details: "create the Node that this host is, or name the right one")
    }
    let before = node
    let pools = try await self.pools()
    let labels = ResourceLabelsReader.labels(node)
    for kind in TunnelAddressKind.allCases {
      let isWireGuard = kind == .wireGuardV4 || kind == .wireGuardV6
      let isWanted = kind.isWanted(by: node) && !(isWireGuard && parent.encryptsHostTraffic)
      let fitting = isWanted ? pools.filter { kind.fits($0) && Self.allows($0, labels) } : []
      if fitting.isEmpty {
        try await remove(kind, &node)
      } else {
        try await ensure(kind, fitting.compactMap(\.cidr), &node)
      }
    }
    if node.encoded() != before.encoded() {
      let client = parent.client
      // Old data may lack what an update insists on.
      _ = try await client.update(client.created(node))
    }
    var addresses: [TunnelAddressKind: IPAddress] = [:]
    for kind in TunnelAddressKind.allCases { addresses[kind] = IPAddress(kind.text(in: node)) }
    return addresses
  }

  // MARK: Pools

  /// All pools. One that cannot be read ends the attempt: its addresses might be taken for none of any pool's.
  private func pools() async throws -> [IPPool] {
    let text = "unable to query IP pool configuration: "
    let results: [ReadResult]
    do {
      results = try await parent.store.read([.list(Listing(.resources(.ipPool)))], deadline: parent.deadline)
    } catch {
      throw CalicoFailure("\(text)\(error)")
    }
    guard case .list(let list)? = results.first else { return [] }
    var pools: [IPPool] = []
    for item in list.items {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      let pool: IPPool
      do {
        pool = try IPPool(decoding: stored.bytes, name: name)
      } catch {
        throw CalicoFailure("\(text)IPPool \(name): \(error)", details: "repair IPPool \(name)")
      }
      guard pool.cidr != nil else {
        throw CalicoFailure(
          "\(text)IPPool \(name): invalid CIDR address: \(pool.writtenCIDR)",
          details: "correct spec.cidr of IPPool \(name)")
      }
      pools.append(pool)
    }
    return pools
  }

  /// Whether a pool may give a node's tunnels addresses. How pods choose among pools does not matter.
  private static func allows(_ pool: IPPool, _ labels: [String: String]) -> Bool {
    guard pool.allowedUses.contains(.tunnel), !pool.isDisabled, !pool.isDeleting else { return false }
    if pool.nodeSelector.isEmpty || pool.nodeSelector == "all()" { return true }
    // A selector that cannot be understood selects nothing.
    guard let selector = try? Selector(pool.nodeSelector) else { return false }
    return selector.matches(labels)
  }

  // MARK: Ensure

  private mutating func ensure(_ kind: TunnelAddressKind, _ pools: [CIDR], _ node: inout Resource) async throws {
    let text = kind.text(in: node)
    guard !text.isEmpty else { return try await assign(kind, pools, &node) }
    guard let address = IPAddress(text) else {
      throw CalicoFailure(
        "failed to parse the CIDR '\(text)'", details: "correct the \(kind.rawValue) of Node \(name), or take it out")
    }
    switch try await holder(of: address) {
    case .unnamed: try await recordAnew(kind, address, pools, &node)
    case .attributes(let owner, _)
    where owner["type"] == kind.rawValue && owner["node"] == name && pools.contains { $0.contains(address) }:
      return
    // It is free, or somebody else's, or in no pool any more.
    case .nobody, .attributes, .handle: try await assign(kind, pools, &node)
    }
  }

  /// Gives a very old tunnel address, of which nothing is recorded, its handle and attributes.
  private mutating func recordAnew(
    _ kind: TunnelAddressKind, _ address: IPAddress, _ pools: [CIDR], _ node: inout Resource
  ) async throws {
    try await release([ReleaseOption(address)])
    let request = AssignAddress.Request(
      address, handleID: kind.handleID(name), attributes: kind.attributes(name), host: name, use: nil,
      time: parent.surroundings.now())
    do {
      let acquired = try await parent.runner.run(AssignAddress(request), deadline: parent.deadline)
      assigned.append(.init(kind: kind, address: address, sequenceNumber: acquired.sequenceNumber))
      changes.append("recorded \(address) as the \(kind.rawValue) of node \(name)")
    } catch let error as EngineError where error.code == .alreadyExists {
      try await assign(kind, pools, &node)
    }
  }

  /// Assigns an address and writes it into the node.
  private mutating func assign(_ kind: TunnelAddressKind, _ pools: [CIDR], _ node: inout Resource) async throws {
    if let found = try await adopt(kind, pools) {
      kind.set(found, in: &node)
      changes.append("took up \(found) as the \(kind.rawValue) of node \(name)")
      return
    }
    var request = AutoAssignRequest(
      [.init(kind.family, count: 1, pools: pools)], handleID: kind.handleID(name), attributes: kind.attributes(name),
      host: name, use: .tunnel, time: parent.surroundings.now())
    request.start = parent.surroundings.start(name)
    // Another process that sees to the same node is given the same address.
    request.maxPerHandle = isLast ? 0 : 1
    let result = try await parent.runner.run(AutoAssign(request), deadline: parent.deadline)
    if let error = result.error { throw CalicoFailure(error) }
    guard let family = result.families.first, let acquired = family.addresses.first else {
      throw CalicoFailure(
        result.families.first?.shortfall ?? "no pool has an address for the \(kind.rawValue) of node \(name)",
        details: "`ipamctl ipam show --show-blocks` tells which blocks are full")
    }
    if !acquired.isReused {
      assigned.append(
        .init(kind: kind, address: acquired.address.address, sequenceNumber: acquired.sequenceNumber))
    }
    kind.set(acquired.address.address, in: &node)
    changes.append("assigned \(acquired.address.address) as the \(kind.rawValue) of node \(name)")
  }

  /// Finds an address that the handle has and the Node does not name: from a run that was cut off, or that is not over.
  ///
  /// One that can be used is kept; everything else that the handle has is given back, each address with the number of its
  /// assignment, so that what another process assigns at this moment stays.
  private mutating func adopt(_ kind: TunnelAddressKind, _ pools: [CIDR]) async throws -> IPAddress? {
    let handleID = kind.handleID(name)
    let held: [AcquiredAddress]
    do {
      let query = AddressesOfHandle(handleID, time: parent.surroundings.now())
      held = try await parent.runner.run(query, deadline: parent.deadline)
    } catch let error as EngineError where error.code == .doesNotExist {
      return nil
    }
    var kept: IPAddress?
    var surplus: [ReleaseOption] = []
    for acquired in held {
      let address = acquired.address.address
      if kept == nil, pools.contains(where: { $0.contains(address) }),
        case .attributes(let owner, _) = try await holder(of: address), owner == kind.attributes(name)
      {
        kept = address
      } else {
        surplus.append(ReleaseOption(address, handleID: handleID, sequenceNumber: acquired.sequenceNumber))
      }
    }
    if !surplus.isEmpty {
      try await release(surplus)
      let texts = surplus.map(\.address.description).joined(separator: ", ")
      changes.append("released \(texts), which handle \(handleID) had and the node did not use")
    }
    return kept
  }

  // MARK: Remove

  private mutating func remove(_ kind: TunnelAddressKind, _ node: inout Resource) async throws {
    let text = kind.text(in: node)
    kind.set(nil, in: &node)
    let handleID = kind.handleID(name)
    let release = ReleaseByHandle([handleID], time: parent.surroundings.now())
    let released = try await parent.runner.run(release, deadline: parent.deadline)
    if let count = released.counts[handleID], count > 0 {
      changes.append("released the \(kind.rawValue) of node \(name)" + (text.isEmpty ? "" : ", \(text)"))
      return
    }
    guard let address = IPAddress(text) else { return }
    changes.append("took \(text) out of node \(name)")
    switch try await holder(of: address) {
    case .nobody: return
    case .unnamed: try await self.release([ReleaseOption(address)])
    // The handle's own entry is lost.
    case .handle(handleID), .attributes(_, handleID):
      try await self.release([ReleaseOption(address, handleID: handleID)])
    case .handle, .attributes: parent.surroundings.log("\(address) has been reused by something else, and stays")
    }
  }

  // MARK: Addresses

  /// Who has an address.
  private enum Holder {
    /// It is free, or cools down, or lies in no enabled pool.
    case nobody
    /// Somebody with attributes, and a handle if one is recorded.
    case attributes([String: String], String?)
    /// A handle without attributes.
    case handle(String)
    /// Somebody of whom nothing is recorded.
    case unnamed
  }

  private func holder(of address: IPAddress) async throws -> Holder {
    let query = AttributesOfAddress(address, time: parent.surroundings.now())
    do {
      let found = try await parent.runner.run(query, deadline: parent.deadline)
      if !found.owner.isEmpty { return .attributes(found.owner, found.handleID) }
      return found.handleID.map { .handle($0) } ?? .unnamed
    } catch let error as EngineError where error.code == .doesNotExist || error.code == .coolingDown {
      // One that cools down is nobody's. Calico's own program takes it for an error and starts over until it is free.
      return .nobody
    } catch {
      throw CalicoFailure("failed to get assignment attributes for CIDR '\(address)': \(error)")
    }
  }

  private func release(_ options: [ReleaseOption]) async throws {
    let release = ReleaseAddresses(options, time: parent.surroundings.now())
    let result = try await parent.runner.run(release, deadline: parent.deadline)
    // What has been given out again since is no longer this node's to release.
    if let error = result.error, error.code != .conflict { throw CalicoFailure(error) }
  }
}
