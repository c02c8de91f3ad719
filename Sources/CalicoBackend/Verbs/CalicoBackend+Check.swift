import CalicoEngine
import CalicoModel
import Datastore
public import IPAM
public import IPAddressing

extension CalicoBackend {
  /// Finds the addresses of the container in the blocks. Upstream answers yes to anything.
  ///
  /// - Throws: ``CalicoFailure`` when there are none, or not those that the runtime expects.
  public func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws {
    do {
      let workload = try requireWorkload()
      let held = try await heldAddresses(workload)
      guard !held.isEmpty else {
        var failure = CalicoFailure(
          "calico-ipam: no address is assigned to container \(workload.containerID)",
          details: "handle \(workload.handleID) holds nothing; DEL and ADD of the container assign anew")
        failure.code = .doesNotExist
        throw failure
      }
      let missing = (addresses ?? []).filter { !held.contains($0) }
      guard missing.isEmpty else {
        let list = missing.map(\.description).joined(separator: ", ")
        throw CalicoFailure(
          "calico-ipam: container \(workload.containerID) does not hold \(list)",
          details: "handle \(workload.handleID) holds \(held.map(\.description).joined(separator: ", "))")
      }
    } catch {
      throw CalicoFailure.from(error)
    }
  }

  /// Whether anything is assigned to the container. Creates nothing, takes no lock.
  ///
  /// - Returns: whether there is.
  /// - Throws: ``CalicoFailure`` when the store fails.
  public func hasAddresses() async throws -> Bool {
    do {
      return try await !heldAddresses(requireWorkload()).isEmpty
    } catch {
      throw CalicoFailure.from(error)
    }
  }

  private func heldAddresses(_ workload: Workload) async throws -> [IPAddress] {
    do {
      let operation = AddressesOfHandle(workload.handleID, time: surroundings.now())
      let runner = try runner(.reading)
      runner.store.expect(ExpectedReads.release(of: [workload.handleID], rooms: Array(knownRooms.prefix(2))))
      return try await runner.run(operation, deadline: deadline).map(\.address.address)
    } catch let error as EngineError where error.code == .doesNotExist {
      return []
    }
  }

  /// Looks whether the store can be read, and whether there are pools for this node. Creates nothing, takes no lock.
  ///
  /// - Throws: ``CalicoFailure`` for code 50.
  public func status() async throws {
    do {
      let runner = try runner(.reading)
      var requests: [PoolRequest] = []
      let owner = BlockOwner(.host, nodeName)
      let enabled: [(AddressFamily, Bool, [String])] = [
        (.v4, configuration.assignsV4, configuration.poolsV4), (.v6, configuration.assignsV6, configuration.poolsV6),
      ]
      for (family, isEnabled, pools) in enabled where isEnabled {
        let networks = try await runner.run(PoolNetworks(pools, family), deadline: .after(milliseconds: 30_000))
        requests.append(PoolRequest(family: family, requested: networks, use: .workload, owner: owner))
      }
      _ = try await runner.run(UsablePools(requests), deadline: .after(milliseconds: 30_000))
    } catch {
      guard var failure = CalicoFailure.from(error) as? CalicoFailure else { throw error }
      failure.category = .unavailable
      throw failure
    }
  }
}
