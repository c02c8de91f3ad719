import IPAddressing
import TestSupport

extension Process {
  /// How many handles the operations of a history share.
  private static let handleCount = 5

  /// An operation by chance.
  ///
  /// - Parameters:
  ///   - id: its place in the history.
  ///   - world: where it runs; upstream has the last node for itself when there are four.
  ///   - random: the source of chance.
  init(id: Int, in world: World, _ random: inout SeededGenerator) {
    self.id = id
    let hasUpstream = world.nodeCount == 4
    node = Int.random(in: 0..<world.nodeCount, using: &random)
    pause = Self.pause(&random)
    // A node for itself, and now and then a process of the other kind on any node: a node in the middle of an upgrade.
    let isUpstream = hasUpstream && (node == 3 || Int.random(in: 0..<12, using: &random) == 0)
    action = isUpstream ? Self.upstreamAction(world, &random) : Self.action(world, &random)
  }

  private static func pause(_ random: inout SeededGenerator) -> Int64 {
    switch Int.random(in: 0..<20, using: &random) {
    case 0: 61_000_000_000
    case 1: 31_000_000_000
    case 2: -Int64.random(in: 0..<900_000_000, using: &random)
    case 3...6: Int64.random(in: 0..<3_000_000_000, using: &random)
    default: Int64.random(in: 0..<2_000_000, using: &random)
    }
  }

  private static func handle(_ random: inout SeededGenerator) -> String {
    "handle-\(Int.random(in: 0..<handleCount, using: &random))"
  }

  private static func pick(_ random: inout SeededGenerator) -> Action.Pick {
    let style = Int.random(in: 0..<4, using: &random)
    return Action.Pick(
      index: Int.random(in: 0..<64, using: &random), demandsHandle: style != 1, demandsNumber: style != 2)
  }

  private static func picks(_ random: inout SeededGenerator) -> [Action.Pick] {
    (0...Int.random(in: 0...3, using: &random)).map { _ in pick(&random) }
  }

  private static func action(_ world: World, _ random: inout SeededGenerator) -> Action {
    let pool = Int.random(in: 0..<world.pools.count, using: &random)
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<36: return autoAssign(&random)
    case 36..<45:
      return .assign(
        pool: pool, index: Int.random(in: 0..<world.pools[pool].size, using: &random),
        handle: Int.random(in: 0..<5, using: &random) == 0 ? nil : handle(&random),
        limit: Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0)
    case 45..<64:
      let count = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
      return .releaseByHandle((0..<count).map { _ in handle(&random) })
    case 64..<76: return .releaseAddresses(picks(&random))
    case 76..<84:
      return .releaseAffinities(blockSet(pool, &random), mustBeEmpty: Bool.random(using: &random))
    case 84..<88:
      return .claim(pool: pool, block: Bool.random(using: &random) ? nil : Int.random(in: 0..<4, using: &random))
    case 88..<90: return .ensureBlock(Bool.random(using: &random) ? .v4 : .v6)
    case 90..<93: return .setOwner(pick(&random))
    default: return .operate(change(pool, &random))
    }
  }

  private static func autoAssign(_ random: inout SeededGenerator) -> Action {
    var options = Action.AssignOptions()
    options.isAllOrNothing = Bool.random(using: &random)
    var (v4, v6) = (1, 0)
    switch Int.random(in: 0..<10, using: &random) {
    case 0: (v4, v6) = (1, 1)
    case 1: (v4, v6) = (0, 1)
    case 2: (v4, v6) = (3, 2)
    case 3: v4 = 2
    case 4: v4 = 6
    default: break
    }
    if Int.random(in: 0..<6, using: &random) == 0 {
      options.maxPerHandle = max(v4, v6)
    }
    if Int.random(in: 0..<3, using: &random) == 0 { options.room = Int.random(in: 0..<4, using: &random) }
    options.isExhausted = Int.random(in: 0..<15, using: &random) == 0
    options.requestsPool = Int.random(in: 0..<8, using: &random) == 0
    let handle = Int.random(in: 0..<8, using: &random) == 0 ? nil : handle(&random)
    return .autoAssign(v4: v4, v6: v6, handle: handle, options)
  }

  private static func blockSet(_ pool: Int, _ random: inout SeededGenerator) -> Action.BlockSet {
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: .own
    case 2: .pool(pool)
    case 3: .network(pool: pool)
    case 4: .deletedPool(pool)
    default: .block(pool: pool, Int.random(in: 0..<4, using: &random))
    }
  }

  private static func change(_ pool: Int, _ random: inout SeededGenerator) -> Action.Change {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: .disable(pool: pool)
    case 1, 2: .enable(pool: pool)
    case 3: .delete(pool: pool)
    case 4, 5: .select(pool: pool, zone: Int.random(in: 0..<3, using: &random))
    case 6, 7:
      .label(node: Int.random(in: 0..<4, using: &random), zone: Int.random(in: 0..<2, using: &random))
    case 8, 9: .strict(Bool.random(using: &random))
    case 10: .cooldown(Bool.random(using: &random) ? 0 : 30)
    default: .maximum(Int.random(in: 0...2, using: &random))
    }
  }

  private static func upstreamAction(_ world: World, _ random: inout SeededGenerator) -> Action {
    let pool = Int.random(in: 0..<world.pools.count, using: &random)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<9:
      let (v4, v6) = [(1, 0), (1, 0), (3, 0), (1, 1), (0, 1)][Int.random(in: 0..<5, using: &random)]
      return .upstreamAutoAssign(
        v4: v4, v6: v6, handle: Int.random(in: 0..<8, using: &random) == 0 ? nil : handle(&random))
    case 9..<11:
      return .upstreamAssign(
        pool: pool, index: Int.random(in: 0..<world.pools[pool].size, using: &random), handle: handle(&random))
    case 11..<15: return .upstreamReleaseByHandle(handle(&random))
    case 15..<18: return .upstreamReleaseAddresses(picks(&random))
    default: return .upstreamReleaseAffinities(mustBeEmpty: Bool.random(using: &random))
    }
  }
}
