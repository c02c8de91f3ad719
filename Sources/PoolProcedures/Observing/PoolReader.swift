public import CalicoModel
public import Datastore
public import IPAddressing
import JSON

/// Reads what procedures look at.
public struct PoolReader<Store: Datastore>: Sendable {
  let store: Store
  private let now: @Sendable () -> Timestamp
  /// How many blocks are read at once: a full one has 16 KiB.
  private static var pageSize: Int { 128 }
  /// How long one reading may take, in milliseconds.
  private static var patience: UInt64 { 90_000 }

  /// A reader.
  ///
  /// - Parameters:
  ///   - store: where the pools are.
  ///   - now: the time of day.
  public init(_ store: Store, now: @escaping @Sendable () -> Timestamp) {
    self.store = store
    self.now = now
  }

  /// All pools that can be read, in the order of their names, and what is wrong with the others.
  public func pools() async throws -> (pools: [StoredPool], unreadable: [ProcedureError]) {
    var pools: [StoredPool] = []
    var unreadable: [ProcedureError] = []
    for item in try await items(Listing(.resources(.ipPool))) {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      do throws(ProcedureError) {
        pools.append(try StoredPool(stored, name: name))
      } catch {
        unreadable.append(error)
      }
    }
    return (pools, unreadable)
  }

  /// The blocks that overlap a range, and who has their addresses.
  ///
  /// - Parameter range: the range.
  /// - Returns: what is there.
  /// - Throws: ``ProcedureError`` of code `stuck` when a block cannot be read, or what the store throws.
  public func holdings(in range: CIDR) async throws -> PoolHoldings {
    let keys = try await items(Listing(.blocks(range.address.family), .keys)).compactMap { item -> CIDR? in
      guard case .block(let cidr) = item.key, cidr.overlaps(range) else { return nil }
      return cidr
    }.sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
    var holdings = PoolHoldings()
    if keys.isEmpty { return holdings }
    let cooldown = try await configuration().cooldownSeconds
    for start in stride(from: 0, to: keys.count, by: Self.pageSize) {
      let page = keys[start..<min(start + Self.pageSize, keys.count)]
      let results = try await read(page.map { .entry(.block($0)) })
      for (cidr, result) in zip(page, results) {
        guard case .entry(let stored?) = result else { continue }
        let block: IPAMBlock
        do throws(ModelError) {
          block = try stored.block(cidr)
        } catch {
          throw ProcedureError(
            .stuck, "block \(cidr) cannot be read, so nobody knows who has its addresses: \(error)")
        }
        // Half deleted is deleted: whoever finds it finishes that.
        if !block.isDeleted { holdings.add(block, time: now(), cooldown: cooldown) }
      }
    }
    return holdings
  }

  /// The switches of address management.
  func configuration() async throws -> IPAMConfiguration {
    guard case .entry(let stored?)? = try await read([.entry(.configuration)]).first else {
      return IPAMConfiguration()
    }
    return try stored.configuration()
  }

  /// What reservations keep back.
  func reservations() async throws -> ReservedAddresses {
    var reserved = ReservedAddresses()
    for item in try await items(Listing(.resources(.ipReservation))) {
      if let stored = item.stored { try reserved.add(decoding: stored.bytes) }
    }
    return reserved
  }

  /// The labels of nodes; those that are not there have none here.
  func labels(of nodes: [String]) async throws -> [String: [String: String]] {
    var labels: [String: [String: String]] = [:]
    let results = try await read(nodes.map { .entry(.resource(.node, $0)) })
    for (node, result) in zip(nodes, results) {
      guard case .entry(let stored?) = result else { continue }
      labels[node] = try ResourceLabels.decode(stored.bytes)
    }
    return labels
  }

  /// Whether the store is locked, because its content is being moved elsewhere (Calico IPAM specification, section 4.6).
  func isLocked() async throws -> Bool {
    let key = Key.resource(.clusterInformation, "default")
    guard case .entry(let stored?)? = try await read([.entry(key)]).first else { return false }
    let information = try Resource(stored: stored.bytes, kind: .clusterInformation, name: "default")
    return information.specification["datastoreReady"]?.boolValue == false
  }

  private func items(_ listing: Listing) async throws -> [ListResult.Item] {
    guard case .list(let list)? = try await read([.list(listing)]).first else { return [] }
    return list.items
  }

  private func read(_ reads: [Read]) async throws -> [ReadResult] {
    if reads.isEmpty { return [] }
    return try await store.read(reads, deadline: .after(milliseconds: Self.patience))
  }
}
