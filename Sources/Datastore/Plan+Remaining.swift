extension Plan {
  /// What is left of a plan after some of its writes.
  ///
  /// An entry that has its staged value is staged again: its final value must still come after those of the others.
  ///
  /// - Parameter writes: the writes that were made, with the revisions they gave.
  /// - Returns: the changes that are not final yet, each on the revision that its entry has now.
  public func remaining(after writes: [Write]) -> Plan {
    var plan = self
    for write in writes {
      guard let index = plan.changes.firstIndex(where: { $0.key == write.key }) else { continue }
      if write.stage == .final {
        plan.changes.remove(at: index)
      } else if let revision = write.revision {
        plan.changes[index].base = .revision(revision)
      }
    }
    return plan
  }
}
