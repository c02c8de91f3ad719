import CalicoModel
import IPAddressing

extension Oracle {
  /// Checks what a process reports when it has come to its end.
  ///
  /// - Parameters:
  ///   - id: the process.
  ///   - result: what it reports.
  /// - Throws: ``Violation`` when that is not so.
  mutating func finish(_ id: Int, _ result: ActorResult) throws(Violation) {
    guard let writer = writers[id] else { return }
    if result.isUnreadable { throw Violation(.unreadable, "\(writer.process): \(result.error ?? "")") }
    for reported in result.acquired { try checkReport(reported, writer) }
    for entry in ledger.entries where entry.process == id && !entry.isLate {
      guard entry.freed == nil, entry.reportedBy == nil, !rewritten.contains(entry.address) else { continue }
      throw Violation(
        .loss, "\(writer.process) assigned \(entry.address) and did not report it: \(result.error ?? "no error")")
    }
    try checkReleases(result, writer)
  }

  private mutating func checkReport(_ reported: ReportedAddress, _ writer: Writer) throws(Violation) {
    let name = "\(reported.address), number \(reported.number)"
    guard let place = ledger.place(reported.address, reported.number) else {
      throw Violation(.report, "\(writer.process) reports \(name), which was never assigned")
    }
    let entry = ledger.entries[place]
    guard entry.handle == writer.process.action.handle else {
      throw Violation(.report, "\(writer.process) reports \(name) of \(entry.handle ?? "nobody")")
    }
    guard entry.process == writer.process.id || writer.mayReuse && entry.freed ?? .max >= writer.start else {
      throw Violation(.report, "\(writer.process) reports \(name), which process #\(entry.process) assigned")
    }
    ledger.report(place, by: writer.process.id)
  }

  /// What was assigned before a release began is free when it reports success.
  private func checkReleases(_ result: ActorResult, _ writer: Writer) throws(Violation) {
    for entry in ledger.entries where entry.freed == nil && entry.step < writer.start {
      let isReleased =
        result.hasReleasedHandles && writer.mayRelease(entry.address, entry.handle, entry.number)
        || result.released.contains { option in
          option.address == entry.address && (option.handleID == nil || option.handleID == entry.handle ?? "")
            && (option.sequenceNumber == nil || option.sequenceNumber == entry.number)
        }
      guard isReleased else { continue }
      throw Violation(
        .survival, "\(writer.process) succeeded, and \(entry.address) is still assigned to \(entry.handle ?? "nobody")")
    }
  }

  /// Checks that handles count what they hold and no more, which holds when nothing went wrong.
  func checkExactCounts(in store: ModelStore) throws(Violation) {
    for (name, handle) in store.handles {
      for (cidr, count) in handle.counts where count != held[name]?[cidr] ?? 0 {
        throw Violation(.surplus, "\(name) holds \(held[name]?[cidr] ?? 0) of \(cidr) and counts \(count)")
      }
    }
  }
}

extension Oracle.Writer {
  /// Whether the process may report what its handle had before.
  fileprivate var mayReuse: Bool {
    switch process.action {
    case .autoAssign(_, _, _, let options): options.maxPerHandle > 0
    case .assign(_, _, _, let limit): limit > 0
    default: false
    }
  }
}
