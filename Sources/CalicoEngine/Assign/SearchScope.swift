import CalicoModel
import Datastore
import IPAddressing

/// What a search for blocks is bound by; the same throughout one plan.
struct SearchScope: Sendable {
  let request: AutoAssignRequest
  var wanted: AutoAssignRequest.Family
  let configuration: IPAMConfiguration
  let reserved: ReservedAddresses
  let choice: PoolChoice
  let owner: BlockOwner

  /// The most blocks the owner may have (specification section 3.7 step 4).
  var blockLimit: Int {
    let (configured, asked) = (configuration.maxBlocksPerHost, request.maxBlocksPerHost)
    let limit = asked > 0 && configured > 0 ? min(asked, configured) : max(asked, configured)
    return limit > 0 ? limit : IPAMConfiguration.defaultMaxBlocksPerHost
  }

  /// A number for everything but blocks that decides whether there is room: what an operator changes to make some.
  var circumstances: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    mix(configuration.encoded())
    for pool in choice.usable { mix("\(pool.writtenCIDR) \(pool.blockSize)".utf8) }
    for cidr in reserved.cidrs { mix("-\(cidr)".utf8) }
    return hash
  }

  /// How many addresses of a block can be given out.
  func room(in block: IPAMBlock) -> Int {
    reserved.isEmpty ? block.unallocated.count : block.freeCount { reserved.contains($0) }
  }
}

/// The blocks that a node has claimed in the pools of a request.
struct OwnBlocks: Sendable {
  struct Item: Sendable {
    var cidr: CIDR
    var affinity: BlockAffinity
    var base: Base
  }

  /// In the order of keys, but beginning where there may be room; those before that come last.
  var items: [Item] = []
  /// How many come before those that are believed full.
  var believedToHaveRoom = 0
  /// How many blocks the node owns; at least this many when ``isComplete`` is false.
  var count = 0
  /// Whether the node has more blocks than can be looked at each time.
  var isLarge = false

  func contains(_ cidr: CIDR) -> Bool { items.contains { $0.cidr == cidr } }
}
