import CalicoEngine
import CalicoModel
import Datastore
public import IPAM
import IPAddressing

extension CalicoBackend {
  /// Gives back what the container holds under its handle, and under the one that old releases used (front-end
  /// specification, section 1.9).
  ///
  /// - Throws: ``CalicoFailure`` when the store fails.
  public func release(_ attachment: Attachment) async throws {
    do {
      let workload = try requireWorkload()
      let detection = try await detectVirtualMachine(workload)
      // Nobody can tell any more whose its addresses were: those of a machine outlive its pods.
      if case .noSuchPod = detection {
        return log.info("Pod does not exist. Ignoring", ["ContainerID": workload.containerID])
      }
      let runner = try runner(.writing)
      let lock = acquireLock()
      defer { _ = lock }
      if case .machine(let machine) = detection, try await persists(machine, runner) {
        return try await release(machine, of: workload, runner)
      }
      let handles = [workload.handleID, workload.legacyHandleID]
      runner.store.expect(ExpectedReads.release(of: handles, rooms: Array(knownRooms.prefix(2))))
      let result = try await runner.run(ReleaseByHandle(handles, time: surroundings.now()), deadline: deadline)
      remember(result.freed)
      let count = result.counts.values.reduce(0, +)
      log.info(
        count > 0 ? "Released address using handleID" : "Asked to release address but it doesn't exist. Ignoring",
        ["ContainerID": workload.containerID, "HandleID": workload.handleID])
    } catch {
      throw CalicoFailure.from(error)
    }
  }

  /// Gives back the addresses that some handles hold now, and none that one of them is given meanwhile: the addresses are
  /// read before it is asked a last time which handles are dead, and go with their sequence numbers.
  ///
  /// - Parameters:
  ///   - handles: the handles; those that do not exist are nothing to do.
  ///   - dead: which of them are still nobody's.
  /// - Returns: how many addresses were given back.
  /// - Throws: ``CalicoFailure`` when the store fails.
  public func release(handles: [String], ifDead dead: () async throws -> [String]) async throws -> Int {
    do {
      let runner = try runner(.writing)
      var held: [String: [AcquiredAddress]] = [:]
      for handle in handles {
        do {
          held[handle] = try await runner.run(AddressesOfHandle(handle, time: surroundings.now()), deadline: deadline)
        } catch let error as EngineError where error.code == .doesNotExist {
          held[handle] = []
        }
      }
      let options = try await dead().flatMap { handle in
        (held[handle] ?? []).map {
          ReleaseOption($0.address.address, handleID: handle, sequenceNumber: $0.sequenceNumber)
        }
      }
      guard !options.isEmpty else { return 0 }
      let result = try await runner.run(ReleaseAddresses(options, time: surroundings.now()), deadline: deadline)
      remember(result.freed)
      return result.released.count - result.unallocated.count
    } catch {
      throw CalicoFailure.from(error)
    }
  }

  /// Takes in that blocks got free addresses, so that the next ADD looks there.
  func remember(_ freed: [CIDR: BlockOwner?]) {
    guard !freed.isEmpty, var memory = openMemory() else { return }
    for (block, owner) in freed {
      memory.addressesBecameFree(in: block, isOwn: owner?.name == nodeName)
    }
    memory.save()
  }
}
