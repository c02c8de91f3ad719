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
      let runner = try runner(.writing)
      let lock = acquireLock()
      defer { _ = lock }
      let handles = [workload.handleID, workload.legacyHandleID]
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

  /// Gives back everything that some handles hold.
  ///
  /// - Parameter handles: the handles; those that do not exist are nothing to do.
  /// - Throws: ``CalicoFailure`` when the store fails.
  public func release(handles: [String]) async throws {
    do {
      let runner = try runner(.writing)
      // A few at a time, so that a commit stays small.
      for start in stride(from: 0, to: handles.count, by: 16) {
        let some = Array(handles[start..<min(start + 16, handles.count)])
        let result = try await runner.run(ReleaseByHandle(some, time: surroundings.now()), deadline: deadline)
        remember(result.freed)
      }
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
