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
      let stale = try await staleHandles(keeping: valid, runner)
      for handleID in stale {
        let operation = AddressesOfHandle(handleID, time: surroundings.now())
        let addresses = try await runner.run(operation, deadline: deadline)
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

  private func collect(
    _ handleID: String, _ addresses: [AcquiredAddress], _ runner: Runner
  ) async throws {
    var options: [ReleaseOption] = []
    for address in addresses {
      let query = AttributesOfAddress(address.address.address, time: surroundings.now())
      let attributes = try await runner.run(query, deadline: deadline)
      guard attributes.owner["node"] == nodeName, attributes.sequenceNumber == address.sequenceNumber else { continue }
      options.append(
        ReleaseOption(address.address.address, handleID: handleID, sequenceNumber: address.sequenceNumber))
    }
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
}
