import CNI
import CalicoEngine
import CalicoModel
import Datastore
public import IPAM
import IPAddressing

extension CalicoBackend {
  /// Releases the addresses of this network on this node whose container is in no valid attachment. Upstream has no GC.
  ///
  /// What cannot be told for certain is reported and kept: a handle whose container part has a dot may belong to
  /// another network, and an address of another node is that node's to collect.
  ///
  /// - Throws: ``CalicoFailure`` when the store fails.
  public func collect(keeping valid: Set<Attachment>) async throws {
    guard configuration.collects else { return }
    do {
      let runner = try runner(.writing)
      var stale = try await staleHandles(keeping: valid, runner)
      if surroundings.readsAhead { stale = try await handlesOfNode(among: stale, runner) }
      for handleID in stale {
        let addresses: [AcquiredAddress]
        do {
          let operation = AddressesOfHandle(handleID, time: surroundings.now())
          addresses = try await runner.run(operation, deadline: deadline)
        } catch let error as EngineError where error.code == .doesNotExist {
          // Another process has released it since the handles were listed: that is what was wanted.
          continue
        }
        try await collect(handleID, addresses, runner)
      }
    } catch {
      throw CalicoFailure.from(error)
    }
  }

  /// The handles of this network that no valid attachment accounts for, without those that are ambiguous.
  private func staleHandles(
    keeping valid: Set<Attachment>, _ runner: Runner
  ) async throws -> [String] {
    let containers = Set(valid.map(\.containerID))
    let prefix = configuration.networkName + "."
    let results = try await runner.store.read([.list(Listing(.handles, .keys))], deadline: deadline)
    guard case .list(let list)? = results.first else { return [] }
    var stale: [String] = []
    for item in list.items {
      guard case .handle(let handleID) = item.key, handleID.hasPrefix(prefix) else { continue }
      let containerID = String(handleID.dropFirst(prefix.count))
      if containers.contains(containerID) { continue }
      if containerID.contains(".") {
        // A container of another network may be meant, whatever the split.
        if !containers.contains(where: { containerID.hasSuffix("." + $0) }) {
          surroundings.log("GC: handle \(handleID) is ambiguous, because its container part has a dot; kept")
        }
        continue
      }
      stale.append(handleID)
    }
    return stale
  }

  /// Those of some handles that have addresses of this node, found in few round trips: in a cluster nearly all handles
  /// are other nodes', and what is theirs is not looked at one by one.
  private func handlesOfNode(among handleIDs: [String], _ runner: Runner) async throws -> [String] {
    var handlesByBlock: [CIDR: [String]] = [:]
    for start in stride(from: 0, to: handleIDs.count, by: 64) {
      let batch = Array(handleIDs[start..<min(start + 64, handleIDs.count)])
      let results = try await runner.store.read(batch.map { .entry(.handle($0)) }, deadline: deadline)
      for (handleID, result) in zip(batch, results) {
        // One that is gone meanwhile is nobody's; one that cannot be read is told when it is released.
        guard case .entry(let stored?) = result, let handle = try? stored.handle() else { continue }
        for cidr in handle.counts.keys { handlesByBlock[cidr, default: []].append(handleID) }
      }
    }
    let blocks = handlesByBlock.keys.sorted { $0.address < $1.address }
    var own: Set<String> = []
    for start in stride(from: 0, to: blocks.count, by: 16) {
      let batch = Array(blocks[start..<min(start + 16, blocks.count)])
      let results = try await runner.store.read(batch.map { .entry(.block($0)) }, deadline: deadline)
      for (cidr, result) in zip(batch, results) {
        guard case .entry(let stored?) = result, let block = try? stored.block(cidr) else { continue }
        for handleID in handlesByBlock[cidr] ?? [] {
          let ordinals = block.ordinals(ofHandle: handleID)
          if ordinals.contains(where: { block.attribute(at: $0)?.owner["node"] == nodeName }) { own.insert(handleID) }
        }
      }
    }
    return handleIDs.filter(own.contains)
  }

  private func collect(
    _ handleID: String, _ addresses: [AcquiredAddress], _ runner: Runner
  ) async throws {
    let options = try await options(handleID, addresses, runner)
    guard !options.isEmpty else { return }
    let lock = acquireLock()
    defer { _ = lock }
    let operation = ReleaseAddresses(options, time: surroundings.now())
    let result = try await runner.run(operation, deadline: deadline)
    remember(result.freed)
    let released = Set(result.released.map(\.address)).subtracting(result.unallocated)
    for address in released.sorted() {
      surroundings.log("GC: released \(address) of \(handleID), whose container is not among the valid attachments")
    }
  }

  /// The addresses among those of a handle that are this node's and still as they were: what was released or given out
  /// again meanwhile is not this call's any more.
  private func options(
    _ handleID: String, _ addresses: [AcquiredAddress], _ runner: Runner
  ) async throws -> [ReleaseOption] {
    let blocks = Set(addresses.map(\.block)).sorted { $0.address < $1.address }
    let results = try await runner.store.read(blocks.map { .entry(.block($0)) }, deadline: deadline)
    var options: [ReleaseOption] = []
    for (cidr, result) in zip(blocks, results) {
      guard case .entry(let stored?) = result, let block = try? stored.block(cidr) else { continue }
      for address in addresses where address.block == cidr {
        guard let ordinal = block.ordinal(of: address.address.address), let attribute = block.attribute(at: ordinal),
          attribute.releasedAt == nil, attribute.owner["node"] == nodeName,
          block.allocationNumbers[ordinal] ?? 0 == address.sequenceNumber
        else { continue }
        options.append(
          ReleaseOption(address.address.address, handleID: handleID, sequenceNumber: address.sequenceNumber))
      }
    }
    return options
  }
}
