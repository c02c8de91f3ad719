import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

extension Process {
  /// The state machine of this process, beginning at a time; `options` is what its picks from the ledger are now.
  func actor(in world: World, at time: Timestamp, _ options: [ReleaseOption], _ store: ModelStore) -> any Actor {
    switch action {
    case .autoAssign(let v4, let v6, let handle, let flags): return autoAssign(v4, v6, handle, flags, world, time)
    case .assign(let pool, let index, let handle, let limit):
      var request = AssignAddress.Request(
        world.pools[pool].address(index), handleID: handle, host: host, use: .workload, time: time)
      request.attributes = attributes
      request.maxPerHandle = limit
      return EngineActor(AssignAddress(request)) { ActorResult(acquired: [ReportedAddress($0)]) }
    case .releaseByHandle(let handles):
      return EngineActor(ReleaseByHandle(handles, time: time)) { _ in ActorResult(hasReleasedHandles: true) }
    case .releaseAddresses, .releaseEverything:
      return EngineActor(ReleaseAddresses(options, time: time)) {
        ActorResult(released: $0.released, error: $0.error?.description)
      }
    case .releaseAffinities(let set, let mustBeEmpty):
      return EngineActor(ReleaseAffinities(target(set, world), mustBeEmpty: mustBeEmpty, time: time)) { _ in
        ActorResult()
      }
    case .claim(let pool, let block):
      let network = block.map { world.pools[pool].block($0) } ?? world.pools[pool].cidr
      return EngineActor(ClaimAffinity(network, for: owner, time: time)) { _ in ActorResult() }
    case .ensureBlock(let family):
      do {
        return EngineActor(try EnsureBlock(host: host, AutoAssignRequest.Family(family, count: 0), time: time)) { _ in
          ActorResult()
        }
      } catch {
        return FailedActor(error: error)
      }
    case .setOwner:
      guard let option = options.first else { return OperatorActor(plan: Plan()) }
      let side = SetOwnerAttributes.Side(["pod": "pod-\(id)", "namespace": "space"])
      let operation = SetOwnerAttributes(
        option.address, handleID: option.handleID ?? "", owner: side, alternateOwner: nil, time: time)
      return EngineActor(operation) { ActorResult() }
    case .operate(let change): return OperatorActor(plan: plan(for: change, world, store))
    default: return upstreamActor(in: world, options)
    }
  }

  /// What tells this process's assignments from those of others, as the time of day does that callers record: without,
  /// an operation whose answer was lost takes those of a twin with the same handle for its own.
  private var attributes: [String: String] { ["timestamp": "\(id)"] }

  private func autoAssign(
    _ v4: Int, _ v6: Int, _ handle: String?, _ flags: Action.AssignOptions, _ world: World, _ time: Timestamp
  ) -> any Actor {
    var families: [AutoAssignRequest.Family] = []
    for (family, count) in [(AddressFamily.v4, v4), (.v6, v6)] where count > 0 {
      let pools = world.pools.filter { $0.cidr.address.family == family }
      var wanted = AutoAssignRequest.Family(family, count: count)
      wanted.memory.isExhausted = flags.isExhausted
      if let room = flags.room { wanted.memory.room = pools[room % pools.count].block(room) }
      if flags.requestsPool { wanted.pools = [pools[id % pools.count].cidr] }
      families.append(wanted)
    }
    var request = AutoAssignRequest(
      families, handleID: handle, attributes: attributes, host: host, use: .workload,
      time: time)
    request.isAllOrNothing = flags.isAllOrNothing
    request.maxPerHandle = flags.maxPerHandle
    do {
      return EngineActor(try AutoAssign(request)) { result in
        ActorResult(
          acquired: result.families.flatMap { $0.addresses.map { ReportedAddress($0) } },
          error: result.error?.description)
      }
    } catch {
      return FailedActor(error: error)
    }
  }

  private func target(_ set: Action.BlockSet, _ world: World) -> ReleaseAffinities.Target {
    switch set {
    case .own: .owner(owner)
    case .pool(let pool), .deletedPool(let pool): .pool(world.pools[pool].cidr)
    case .network(let pool): .network(world.pools[pool].cidr, owner)
    case .block(let pool, let block): .block(world.pools[pool].block(block), owner)
    }
  }

  private func plan(for change: Action.Change, _ world: World, _ store: ModelStore) -> Plan {
    var configuration = world.configuration
    if case .configuration(let stored)? = store.value(.configuration) { configuration = stored }
    func write(_ pool: Int, _ text: [UInt8]?) -> Plan {
      let key = Key.resource(.ipPool, world.pools[pool].name)
      return Plan([Change(key, base: .any, final: text.map { .value(.resource($0)) } ?? .delete)])
    }
    switch change {
    case .disable(let pool): return write(pool, world.pools[pool].text(isDisabled: true))
    case .enable(let pool): return write(pool, world.pools[pool].text())
    case .delete(let pool): return write(pool, nil)
    case .select(let pool, let zone):
      let selector = zone < World.zones.count ? "zone == '\(World.zones[zone])'" : "all()"
      return write(pool, world.pools[pool].text(nodeSelector: selector))
    case .label(let node, let zone):
      let key = Key.resource(.node, World.node(node % world.nodeCount))
      return Plan([Change(key, base: .any, final: .value(World.nodeValue(zone: World.zones[zone])))])
    case .strict(let isStrict): configuration.strictAffinity = isStrict
    case .cooldown(let seconds): configuration.cooldownSeconds = seconds
    case .maximum(let count): configuration.maxBlocksPerHost = count
    }
    return Plan([Change(.configuration, base: .any, final: .value(.configuration(configuration)))])
  }
}
