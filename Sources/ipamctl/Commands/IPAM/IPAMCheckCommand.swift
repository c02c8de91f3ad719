import ArgumentParser
import CNI
import CalicoBackend
import CalicoEngine
import CalicoctlConfiguration
import Datastore
import DatastoreAccess
import DatastoreSettings
import FileSystem
import IntegrityCheck
import KubernetesClient
import KubernetesWorkloads

/// `ipamctl ipam check`
struct IPAMCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tells what does not fit together, and which addresses are leaked; repairs it.",
    discussion: """
      Who uses an address is told by the API server in a cluster (pods, services, nodes); on the embedded datastore by \
      nodes' tunnels, by what calico-ipam recorded for containers of this host that are not proven to be gone, and by the \
      network namespaces of this host; on etcd by nodes' tunnels, and by the cluster whose kubeconfig KUBECONFIG names. An \
      address that nobody uses is leaked; where not everybody can be asked, it is said of how many addresses it cannot be \
      told.

      The datastore may be in use meanwhile: what does not fit is looked at again, and counts when it is the same twice. \
      Entries are read page by page; the size of the datastore does not matter.

      With --fix it tells what it would do, and with --yes, or when it is asked on a terminal, does it: mends blocks that \
      contradict themselves, corrects, creates and deletes handles, confirms affinities that nobody finishes and deletes \
      those of other blocks, finishes deletions, deletes empty blocks that belong to nobody, and releases addresses of \
      which it is proven that nobody needs them. Every repair is made on the condition that what was seen is still there. \
      What may be somebody's work in progress has to be seen unchanged for some minutes: it waits for them, or knows them \
      from an earlier run, which leaves a note below /run/swift-ipam/ipamctl.

      Exit status: 0 when there are no problems, or all are repaired; 2 when there are; 1 when it could not be looked, or a \
      repair failed.

      Examples:
        ipamctl ipam check
        ipamctl ipam check --show-problem-ips
        ipamctl ipam check -o report.json
        ipamctl ipam check --fix
        ipamctl ipam check --fix --yes --max-releases 100 --log repairs.jsonl
      """
  )

  /// The exit status when there are problems.
  static let problemStatus: Int32 = 2

  @OptionGroup var datastore: DatastoreOptions
  @OptionGroup var host: HostOptions

  @Flag(name: .customLong("show-all-ips"), help: "Print a line for each address and what it belongs to.")
  var showAllIPs = false

  @Flag(name: .customLong("show-problem-ips"), help: "Print a line for each address that is leaked or not allocated.")
  var showProblemIPs = false

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("Write a report as JSON, for 'ipamctl ipam release --from-report'.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Tell what can be repaired; on a terminal, ask whether to do it.")
  var fix = false

  @Flag(help: "Make the repairs of --fix without asking.")
  var yes = false

  @Option(help: ArgumentHelp("Release so many addresses at most. Without it: all.", valueName: "count"))
  var maxReleases: Int?

  @Option(
    help: ArgumentHelp(
      """
      For how long what may be somebody's work in progress has to be unchanged. No operation takes longer than 2 \
      minutes; with less, one that is under way may have to begin anew.
      """, valueName: "seconds"))
  var unchangedFor = RepairHandle.patience

  @Option(
    help: ArgumentHelp("Append a line of JSON for every repair, with what it is based on.", valueName: "file"),
    completion: .file())
  var log: String?

  func validate() throws {
    if output == "" { throw ValidationError("--output is empty; name the file for the report") }
    if log == "" { throw ValidationError("--log is empty; name the file for the log of repairs") }
    if let maxReleases, maxReleases < 0 { throw ValidationError("--max-releases must be 0 or more.") }
    if unchangedFor < 0 { throw ValidationError("--unchanged-for must be 0 seconds or more.") }
    guard !fix else { return }
    if yes { throw ValidationError("--yes goes with --fix, which says what to do") }
    if maxReleases != nil { throw ValidationError("--max-releases goes with --fix, which releases addresses") }
    if log != nil { throw ValidationError("--log goes with --fix, which makes repairs") }
  }

  func run() async throws {
    // A limit for programs that run for ever is none for a person who waits (front-end specification, section 7.6).
    let session = try await datastore.open(writes: fix, queriesPerSecond: 100)
    let lines = LineOutput.standard()
    var transcript = try await execute(session, users(session), lines)
    lines.flush()
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Who can be asked for the users of addresses.
  private func users(_ session: Session) throws -> AddressUsers {
    guard session.store.engine != .sqlite else { return .host(host.roots) }
    do {
      var settings = try datastore.settings(ProcessEnvironment.variables).kubernetes
      // calicoctl looks at services with a client of its own, which has no limit.
      settings.queriesPerSecond = 0
      if session.store.engine == .etcd, settings.kubeconfig.isEmpty { return .unknown(store: session.store.name) }
      let client = try KubernetesWorkloads.client(settings)
      return .cluster(KubernetesWorkloads(client), namesNodesAlike: session.store.engine == .kubernetes)
    } catch {
      throw CommandFailure(error.advised)
    }
  }

  // MARK: The check

  /// Checks everything, and repairs if that is wanted.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - users: who can be asked for the users of addresses.
  ///   - lines: takes the report.
  ///   - surroundings: what else there is.
  /// - Returns: what is left to print, and the exit status.
  /// - Throws: nothing: what fails is in what is printed.
  func execute(
    _ session: Session, _ users: AddressUsers, _ lines: LineOutput, _ surroundings: Surroundings = Surroundings()
  ) async throws -> Transcript {
    do {
      var transcript = Transcript()
      let report = try output.map { path in
        try Self.opening(path) { path throws(SystemError) in try AllocationReport(path: path) }
      }
      var options = IntegrityCheck.Options()
      options.showsAll = showAllIPs
      options.showsProblems = showProblemIPs
      options.pause = surroundings.pause
      var check = IntegrityCheck(session.store, options, now: session.now) { lines.line($0) }
      if let report { check.recordAllocations { report.add($0) } }
      check.say("Checking IPAM for inconsistencies...")
      check.say()
      lines.flush()
      let head = try await session.reportHead()
      try await check.loadEntries()
      try await check.loadPools()
      try await check.loadNodes()
      let (knowledge, warnings) = try await users.report(to: &check, session)
      let findings = try await check.conclude(knowledge) { try await users.isStillUsing($0, $1) }
      for warning in warnings { transcript.warning(warning) }
      if let report, let output {
        try Self.opening(output) { _ throws(SystemError) in
          try report.finish(head, users: { check.users(of: $0) }, leakedHandles: findings.leakedHandles)
        }
      }
      if findings.problems + findings.unsettledCount > 0 { transcript.status = Self.problemStatus }
      if fix { try await repair(findings, check, users, session, lines, surroundings, &transcript) }
      return transcript
    } catch {
      return .failed(error.advised)
    }
  }

  private static func opening<Result>(
    _ path: String, _ body: (String) throws(SystemError) -> Result
  ) throws(CommandFailure) -> Result {
    do throws(SystemError) { return try body(path) } catch {
      throw CommandFailure("the report cannot be written to \(path): \(systemReason(error.number))")
    }
  }

  // MARK: Repairs

  /// What a check has besides a datastore.
  struct Surroundings {
    /// How long to wait before what did not fit is looked at again.
    var pause: Duration = .seconds(1)
    /// Seconds since boot.
    var now: () -> Int64 = FaultMemory.secondsSinceBoot
    /// Waits some seconds.
    var wait: (Int64) -> Void = { Pause.seconds(UInt32(clamping: $0)) }
    /// Asks a person; nil when there is none.
    var ask: ((String) -> Bool)? = Confirmation.onTerminal
  }

  private func repair(
    _ findings: Findings, _ check: IntegrityCheck, _ users: AddressUsers, _ session: Session, _ lines: LineOutput,
    _ surroundings: Surroundings, _ transcript: inout Transcript
  ) async throws {
    var memory = FaultMemory(of: session.store.name, host.roots, now: surroundings.now())
    let rules = RepairPlan.Rules(maxReleases: maxReleases, patience: unchangedFor)
    var plan = try await RepairPlan(findings, check, users, session, rules, memory: &memory)
    if let number = plan.memoryFailure {
      transcript.warning("warning: the look cannot be noted for the next run: \(systemReason(number)); run it as root")
    }
    lines.line("")
    for line in plan.lines { lines.line(line) }
    guard !plan.steps.isEmpty else {
      lines.line("Nothing to repair.")
      return
    }
    lines.flush()
    let rest = plan.wait(atMost: unchangedFor)
    let question = rest > 0 ? "Repair this, waiting \(rest) s where it must be unchanged?" : "Repair this?"
    guard yes || surroundings.ask?(question) == true else {
      lines.line("Nothing was changed; --yes makes these repairs.")
      return
    }
    let file = try log.map { try RepairLog(path: $0) }
    let tell: (RepairPlan.Step) throws -> Void = { step in
      lines.line(step.line)
      try file?.add(step.document(at: session.now()))
    }
    try await plan.carryOut(after: 0, tell: tell)
    if rest > 0 {
      lines.flush()
      let began = surroundings.now()
      surroundings.wait(rest)
      // Less may have passed than was asked for, if the machine slept; what counts is the clock.
      try await plan.carryOut(after: max(rest, surroundings.now() - began), tell: tell)
    }
    lines.line(plan.summary)
    if plan.hasMended { lines.line("Check again: what handles hold in blocks that were mended could not be compared.") }
    transcript.status = plan.exitStatus(findings)
  }
}

/// Where the host's files are found.
struct HostOptions: ParsableArguments {
  /// Another place than `/` is for tests.
  @Option(name: .customLong("root"), help: .hidden)
  var root = ""

  var roots: HostRoots { HostRoots(prefix: root == "/" ? "" : root) }
}
