import ArgumentParser
import DatastoreSettings
import JSON

/// `ipamctl ipam gc`
struct IPAMCollectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Releases what containers of this host left behind, and repairs the datastore.",
    discussion: """
      When calico-ipam gives an address out it records the boot and the network namespace. A container is dead when it \
      was recorded in an earlier boot of this machine, or when its network namespace is gone or another one is in its \
      place. It is alive, whatever is recorded, when one of its addresses is configured in any network namespace of this \
      host, or a runtime knows it. Addresses of which nothing is recorded are never released.

      Looks twice, some seconds apart; only what is dead both times with the same addresses counts. Shows what it would \
      do. With --apply it does so: each address is released on the condition that it still has the handle and the \
      sequence number that were seen.

      It also deletes blocks that are empty and belong to nobody. With --repair-handles it corrects handles that count \
      other addresses than they hold, and deletes affinities to blocks that are not their owner's. Because these may be \
      somebody's work in progress, they have to be seen unchanged in two runs at least 5 minutes apart; the first run \
      leaves a note below /run/swift-ipam/ipamctl for the second.

      Run it as root, on the host itself. Exit status: 1 when not everything could be looked at, because then nothing can \
      be taken for dead, or when something could not be done.

      Examples:
        ipamctl ipam gc
        ipamctl ipam gc --apply
        ipamctl ipam gc --repair-handles && sleep 300 && ipamctl ipam gc --repair-handles --apply
      """
  )

  @OptionGroup var datastore: DatastoreOptions
  @OptionGroup var host: HostOptions

  @Option(help: ArgumentHelp("Seconds between the two looks, at least 1.", valueName: "seconds"))
  var interval: UInt32 = 10

  @Option(help: ArgumentHelp("Release so many addresses at most. Without it: all.", valueName: "count"))
  var maxReleases: Int?

  @Flag(help: "Also correct handles and affinities that were wrong in a run at least 5 minutes ago.")
  var repairHandles = false

  @Flag(help: "Release and repair. Without it nothing is changed.")
  var apply = false

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: "How to print the answer: as a table for people, or as JSON.")
  var output = OutputFormat.table

  func validate() throws {
    if interval < 1 { throw ValidationError("--interval must be 1 second or more.") }
    if let maxReleases, maxReleases < 1 { throw ValidationError("--max-releases must be 1 or more.") }
  }

  func run() async throws {
    let session = try await datastore.open(writes: apply)
    var transcript = try await execute(session, waiting: Pause.seconds)
    if let absence = session.store.absence { transcript.warning(absence) }
    if session.store.engine != .sqlite {
      transcript.warning(
        "note: \(session.store.name) has no records of containers, so that none is proven dead; blocks and handles are "
          + "repaired all the same")
    }
    try transcript.deliver()
  }

  /// Looks twice, and shows or does.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - now: seconds since boot.
  ///   - wait: takes the seconds between the looks.
  /// - Returns: what to print.
  /// - Throws: nothing: what fails is in what is printed.
  func execute(
    _ session: Session, now: Int64 = FaultMemory.secondsSinceBoot(), waiting wait: (UInt32) throws -> Void
  ) async throws -> Transcript {
    do {
      let first = try await AttachmentLook(session, host.roots)
      var latest = first
      if !first.dead.isEmpty {
        try wait(interval)
        latest = try await AttachmentLook(session, host.roots)
      }
      var collection = AttachmentCollection(first: first, second: latest, budget: maxReleases)
      if apply { try await collection.release(session) }
      var repairs = try await RepairReport(session, host.roots, repairsHandles: repairHandles, now: now)
      if apply { try await repairs.repair(session) }
      return transcript(collection, repairs, latest.survey)
    } catch {
      return .failed(error.advised)
    }
  }

  private func transcript(
    _ collection: AttachmentCollection, _ repairs: RepairReport, _ survey: AttachmentSurvey
  ) -> Transcript {
    var transcript = Transcript()
    switch output {
    case .json:
      let document: JSON = [
        "applied": .bool(apply), "interval": .number(JSONNumber(interval)),
        "obstacles": JSON(survey.host.obstacles), "dead": .number(JSONNumber(collection.candidates.count)),
        "attachments": .array(collection.documents), "repairs": .array(repairs.documents),
      ]
      transcript.line(document.text)
    case .table:
      for line in collection.lines + repairs.lines { transcript.line(line) }
      if !apply, !collection.chosen.isEmpty || repairs.hasPlans {
        transcript.line("Nothing was changed; --apply releases and repairs.")
      }
    }
    for warning in survey.warnings + repairs.warnings { transcript.warning(warning) }
    if !survey.host.obstacles.isEmpty || collection.isIncomplete { transcript.status = 1 }
    return transcript
  }
}
