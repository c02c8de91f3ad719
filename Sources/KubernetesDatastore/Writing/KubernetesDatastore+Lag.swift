import CalicoModel
import Datastore
import IPAddressing
import Synchronization

// A listing that may lag tells nothing wrong of what a plan compares, because that was read by itself. Pools are compared
// by no plan: of the one that a block lies in, it is looked whether it still is as it was told.

/// A pool as a listing that may lag told it.
struct LaggingPool: Sendable {
  var network: CIDR
  var revision: Revision
}

extension KubernetesDatastore {
  /// Notes what a listing told of the pools.
  func noteLag(of entries: [DecodedEntry], mayLag: Bool) {
    var pools: [Key: LaggingPool] = [:]
    for entry in mayLag ? entries : [] {
      // Whatever cannot be read as a pool gives no addresses.
      guard case .resource(_, let name) = entry.key,
        let network = (try? IPPool(decoding: entry.bytes, name: name))?.cidr
      else { continue }
      pools[entry.key] = LaggingPool(network: network, revision: entry.revision)
    }
    state.withLock { $0.laggingPools = pools }
  }

  /// The pools that a plan's blocks lie in, as far as they may have been told as they were. They stay so until pools are
  /// listed anew: a plan that met a conflict is made again from what was told.
  func laggingPools(of plan: Plan) -> [Key: LaggingPool] {
    let pools = state.withLock(\.laggingPools)
    if pools.isEmpty { return pools }
    let blocks = plan.changes.compactMap { change -> CIDR? in
      guard case .block(let cidr) = change.key, case .value = change.final else { return nil }
      return cidr
    }
    return pools.filter { pool in blocks.contains { pool.value.network.contains($0.address) } }
  }

  /// A pool that is not what it was told to be, or of which that cannot be found out.
  func changedPool(among pools: [Key: LaggingPool], _ form: EntryForm, deadline: Deadline) async -> Key? {
    for (key, pool) in pools {
      let found = try? await object(key, form, deadline: deadline)
      guard let found, found.revision == pool.revision else { return key }
    }
    return nil
  }
}
