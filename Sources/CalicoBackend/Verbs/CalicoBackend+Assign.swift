import CalicoEngine
import CalicoModel
import Datastore
public import IPAM
import IPAddressing

extension CalicoBackend {
  /// Assigns an address of each enabled family, or the one that is asked for (front-end specification, section 1.6).
  ///
  /// - Throws: ``CalicoFailure``; then nothing that this call took is kept, in either family.
  public func assign(_ request: AssignmentRequest) async throws -> Assignment {
    do {
      let assignment = try await assigned(request)
      let addresses = assignment.addresses.map(\.address.description).joined(separator: " ")
      log.info(
        "Calico CNI IPAM assigned addresses",
        ["Addresses": addresses, "ContainerID": workload?.containerID ?? "", "HandleID": workload?.handleID ?? ""])
      return assignment
    } catch {
      let failure = CalicoFailure.from(error)
      log.failure("\(failure)")
      throw failure
    }
  }

  private func assigned(_ request: AssignmentRequest) async throws -> Assignment {
    let workload = try requireWorkload()
    let form = try CalicoResult(configuration)
    let detection = try await detectVirtualMachine(workload)
    let runner = try runner(.writing)
    let lock = acquireLock()
    defer { _ = lock }
    var claim = try await claim(workload, detection, runner)
    if claim.isPersistent, let kept = try await keptAddresses(claim, runner) {
      surroundings.explain?(.keeps(kept.map(\.address), handleID: claim.handleID))
      let assignment = form.assignment(kept)
      return claim.machine?.isMigrationTarget ?? false
        ? Assignment(addresses: assignment.addresses, routes: []) : assignment
    }
    let requested = request.addresses + (workload.arguments.address.map { [$0] } ?? [])
    let wishes = try await wishes(workload, requested, claim, runner)
    surroundings.explain?(.wishes(wishes))
    claim.namespaceLabels = wishes.namespaceLabels
    guard wishes.addresses.isEmpty else {
      return form.assignment(try await assign(wishes.addresses, to: claim, runner))
    }
    if runner.store.mayLag, let addresses = try await chosenAtOnce(wishes, for: claim, runner) {
      return form.assignment(addresses)
    }
    return form.assignment(try await chosen(wishes, for: claim, runner))
  }

  /// Chooses addresses by lists that may lag, and assigns them.
  ///
  /// - Returns: nil when more than that is needed; nothing has been written then.
  private func chosenAtOnce(_ wishes: Wishes, for claim: AddressClaim, _ runner: Runner) async throws -> [CIDR]? {
    do {
      return try await chosen(wishes, for: claim, runner)
    } catch {
      // Once something may have been written, or the store has failed, the failure counts.
      guard runner.store.mayLag, !(error is DatastoreError) else { throw error }
      runner.store.mayLag = false
      return nil
    }
  }

  /// Chooses addresses and assigns them.
  private func chosen(_ wishes: Wishes, for claim: AddressClaim, _ runner: Runner) async throws -> [CIDR] {
    let families = try await families(wishes, runner)
    var memory = openMemory()
    let time = surroundings.now()
    var wanted = AutoAssignRequest(
      families, handleID: claim.handleID, attributes: claim.attributes(timestamp: time.attributeText),
      host: nodeName, use: .workload, time: time)
    wanted.start = surroundings.start(nodeName)
    wanted.maxBlocksPerHost = configuration.usesSingleNetwork ? 1 : 0
    wanted.maxPerHandle = claim.maxPerHandle
    wanted.namespaceLabels = claim.namespaceLabels
    wanted.isAllOrNothing = true
    let digest = wanted.digest
    for index in wanted.families.indices {
      let family = wanted.families[index].family
      wanted.families[index].memory = memory?.memory(digest, family) ?? FamilyMemory()
    }
    let result = try await runner.run(AutoAssign(wanted), deadline: deadline)
    for family in wanted.families {
      guard let found = result.memories[family.family] else { continue }
      memory?.remember(found, was: family.memory, digest, family.family)
    }
    // What was found by lists that lag is worth remembering only if it led to something.
    if !runner.store.mayLag { memory?.save() }
    return try await acquired(result, wanted, runner)
  }

  /// What is wanted of each family that is enabled.
  private func families(_ wishes: Wishes, _ runner: Runner) async throws -> [AutoAssignRequest.Family] {
    var families: [AutoAssignRequest.Family] = []
    let enabled: [(AddressFamily, Bool, [String])] = [
      (.v4, wishes.assignsV4, wishes.poolsV4), (.v6, wishes.assignsV6, wishes.poolsV6),
    ]
    for (family, isEnabled, pools) in enabled {
      // The names are looked up whether or not the family is enabled.
      let networks =
        pools.isEmpty
        ? [] : try await runner.run(PoolNetworks(pools, family), deadline: .after(milliseconds: 30_000))
      if isEnabled { families.append(AutoAssignRequest.Family(family, count: 1, pools: networks)) }
    }
    return families
  }

  /// The addresses for the runtime; what was taken is given back when it is not all that was wanted.
  private func acquired(
    _ result: AutoAssignResult, _ wanted: AutoAssignRequest, _ runner: Runner
  ) async throws -> [CIDR] {
    var failure: CalicoFailure?
    if let error = result.error {
      failure = CalicoFailure(error)
    } else {
      for family in wanted.families {
        guard failure == nil, let shortfall = result.family(family.family)?.shortfall else { continue }
        failure = CalicoFailure(
          "failed to request IPv\(family.family.rawValue) addresses: " + shortfall,
          details: "`ipamctl ipam show --show-blocks` tells which blocks are full")
        failure?.isExhaustion = true
      }
    }
    let acquired = result.families.flatMap(\.addresses)
    guard let failure else { return acquired.map(\.address) }
    await giveBack(acquired, wanted, runner)
    throw failure
  }

  private func giveBack(
    _ acquired: [AcquiredAddress], _ wanted: AutoAssignRequest, _ runner: Runner
  ) async {
    let options = acquired.filter { !$0.isReused }.map {
      ReleaseOption($0.address.address, handleID: wanted.handleID, sequenceNumber: $0.sequenceNumber)
    }
    guard !options.isEmpty else { return }
    do {
      let release = ReleaseAddresses(options, time: surroundings.now())
      _ = try await runner.run(release, deadline: .after(milliseconds: 30_000))
    } catch {
      let addresses = options.map(\.address.description).joined(separator: ", ")
      surroundings.log("could not give back \(addresses): \(error); DEL of the same container will")
    }
  }

  /// Assigns addresses that the caller names.
  private func assign(_ addresses: [IPAddress], to claim: AddressClaim, _ runner: Runner) async throws -> [CIDR] {
    let deadline = deadline
    try await upgradeHost(deadline)
    var acquired: [AcquiredAddress] = []
    for address in addresses {
      let time = surroundings.now()
      var request = AssignAddress.Request(
        address, handleID: claim.handleID, attributes: claim.attributes(timestamp: time.attributeText),
        host: nodeName, use: .workload, time: time)
      request.maxPerHandle = claim.maxPerHandle
      do {
        acquired.append(try await runner.run(AssignAddress(request), deadline: deadline))
      } catch {
        let taken = AutoAssignRequest([], handleID: claim.handleID, host: nodeName, use: .workload, time: time)
        await giveBack(acquired, taken, runner)
        throw error
      }
    }
    return acquired.map(\.address)
  }
}

extension AutoAssignRequest {
  /// A number for what decides which pools are searched, so that memories of different requests are kept apart.
  fileprivate var digest: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    mix(use.rawValue)
    for family in families {
      for pool in family.pools { mix(pool.description) }
    }
    for key in namespaceLabels.keys.sorted() { mix(key + "=" + (namespaceLabels[key] ?? "")) }
    return hash
  }
}
