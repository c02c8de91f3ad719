import CNI
import CalicoEngine
import CalicoModel
import Datastore
import FileSystem
import IntegrityCheck
import JSON

/// Releases what reports say that nobody uses, in calicoctl's words and on its conditions (calicoctl specification,
/// section 3.4).
struct ReportedRelease {
  private let session: Session
  private let isForced: Bool

  /// How many addresses are released by one operation.
  private static let addressesAtOnce = 10_000
  /// How many handles are deleted at once.
  private static let handlesAtOnce = 16

  init(_ session: Session, isForced: Bool) {
    self.session = session
    self.isForced = isForced
  }

  /// Why nothing is released.
  private struct Refusal: Error {
    let text: String
  }

  /// Releases what all reports agree on.
  func transcript(_ paths: [String]) async -> Transcript {
    var transcript = Transcript()
    do {
      let head = try await session.reportHead()
      var reports: [ReleaseReport] = []
      for path in paths { reports.append(try report(path, head, &transcript)) }
      try check(reports, head, &transcript)
      let common = ReleaseReport.common(to: reports)
      await release(common.addresses, &transcript)
      await delete(common.handles, &transcript)
      transcript.line("You may now unlock the data store.")
    } catch let refusal as Refusal {
      transcript.failure(refusal.text)
    } catch {
      transcript.failure(error.advised)
    }
    return transcript
  }

  // MARK: Conditions

  private func report(
    _ path: String, _ head: AllocationReport.Head, _ transcript: inout Transcript
  ) throws(Refusal) -> ReleaseReport {
    let bytes: [UInt8]
    do throws(HostFiles.Failure) { bytes = try HostFiles.contents(of: path) } catch {
      throw Refusal(text: "open \(path): \(systemReason(error.number))")
    }
    let report: ReleaseReport
    do throws(JSONError) { report = try ReleaseReport(bytes) } catch {
      throw Refusal(text: "the report \(path) cannot be read: \(error)")
    }
    guard report.head.clusterGUID == head.clusterGUID else {
      throw Refusal(
        text: "cluster does not match the provided report (\(path)): mismatched cluster GUID. Refusing to release")
    }
    guard report.head.version != head.version else { return report }
    guard isForced else {
      throw Refusal(
        text: "the provided report (\(path)) was produced using a different version (\(report.head.version)) of "
          + "calicoctl. Refusing to release")
    }
    transcript.line(
      "WARNING: Report was produced using a different version of calicoctl. Ignoring due to --force option")
    return report
  }

  private func check(
    _ reports: [ReleaseReport], _ head: AllocationReport.Head, _ transcript: inout Transcript
  ) throws(Refusal) {
    guard reports.contains(where: { $0.head.revision == head.revision }) else {
      throw Refusal(
        text: "the provided reports are all stale - at least one should be up-to-date. Please generate a new report "
          + "while the data store is locked and try again")
    }
    guard !head.isLocked else { return }
    guard isForced else {
      throw Refusal(text: "data store is not locked. Either lock the data store, or re-run with --force")
    }
    transcript.line("WARNING: Data store is not locked. Ignoring due to --force option")
  }

  // MARK: Addresses

  private func release(_ addresses: [ReleaseOption], _ transcript: inout Transcript) async {
    guard !addresses.isEmpty else {
      transcript.line("Report didn't contain any leaked IPs to clean up.")
      return
    }
    transcript.line("Releasing \(addresses.count) old IPs...")
    var gone = 0
    do {
      for start in stride(from: 0, to: addresses.count, by: Self.addressesAtOnce) {
        let batch = Array(addresses[start..<min(addresses.count, start + Self.addressesAtOnce)])
        let result = try await session.run(ReleaseAddresses(batch, time: session.now()))
        gone += result.unallocated.count
        if let error = result.error { throw error }
      }
    } catch {
      transcript.line(
        "An error occurred while releasing some IPs: \(error.advised).  Problems are often caused by an out-of-date "
          + "IPAM report.  Try regenerating the IPAM report and retry.")
      transcript.status = 1
      return
    }
    transcript.line("Released \(addresses.count - gone) IPs successfully")
    if gone > 0 { transcript.line("\(gone) addresses marked as leaked in the report had already been cleaned up.") }
  }

  // MARK: Handles

  private enum Fate: Sendable {
    case deleted
    case skipped
    case failed(String)
  }

  private func delete(_ handles: [LeakedHandle], _ transcript: inout Transcript) async {
    guard !handles.isEmpty else {
      transcript.line("Report didn't contain any handles to clean up.")
      return
    }
    transcript.line("Deleting \(handles.count) handles...")
    transcript.line("Key: '.' = Deleted OK; 'x' = skip, handle missing/changed.")
    var counts = (deleted: 0, skipped: 0, failed: 0)
    for start in stride(from: 0, to: handles.count, by: Self.handlesAtOnce) {
      let batch = Array(handles[start..<min(handles.count, start + Self.handlesAtOnce)])
      for (handle, fate) in zip(batch, await fates(of: batch)) {
        switch fate {
        case .deleted:
          counts.deleted += 1
          transcript.output += "."
        case .skipped:
          counts.skipped += 1
          transcript.output += "x"
        case .failed(let reason):
          counts.failed += 1
          transcript.status = 1
          transcript.output += "\nDeleting handle \(handle.identifier) failed: \(reason).\n"
        }
      }
    }
    transcript.line()
    transcript.line("Released \(counts.deleted) handles; \(counts.skipped) skipped; \(counts.failed) errors.")
  }

  /// Deletes some handles at the same time, each if it is still the one of the report.
  private func fates(of handles: [LeakedHandle]) async -> [Fate] {
    await withTaskGroup(of: (Int, Fate).self) { group in
      for (index, handle) in handles.enumerated() {
        group.addTask { (index, await fate(of: handle)) }
      }
      var fates = [Fate](repeating: .skipped, count: handles.count)
      for await (index, fate) in group { fates[index] = fate }
      return fates
    }
  }

  private func fate(of handle: LeakedHandle) async -> Fate {
    let key = Key.handle(handle.identifier)
    do {
      guard let stored = try await session.entry(key), stored.revision.token == handle.revision,
        stored.revision.identity == handle.uid
      else { return .skipped }
      let plan = Plan([Change(key, base: .revision(stored.revision), final: .delete)])
      switch try await session.store.commit(plan, deadline: .after(milliseconds: 10_000)) {
      case .applied: return .deleted
      case .conflict: return .skipped
      case .unknown: return .failed("the connection broke while it was deleted")
      }
    } catch {
      return .failed(error.advised)
    }
  }
}
