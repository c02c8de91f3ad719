import ArgumentParser

/// `ipamctl ipam check`
struct IPAMCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tells what does not fit together in blocks, pools, nodes and handles, and which addresses are leaked.",
    discussion: """
      An address is in use when a node's tunnel has it, when calico-ipam recorded it for a container of this host that is \
      not proven to be gone, or when a network namespace of this host has it. 'ipamctl ipam gc --help' tells what proves \
      that a container is gone. An address that is proven to be nobody's is leaked; of one that nothing is recorded of \
      it cannot be told.

      Nothing is changed; 'ipamctl ipam gc' releases and repairs. Run it as root, on the host itself.

      Exit status: 0 however many problems there are; 1 when the datastore cannot be read.

      Examples:
        ipamctl ipam check
        ipamctl ipam check --show-problem-ips
      """
  )

  @OptionGroup var datastore: DatastoreOptions
  @OptionGroup var host: HostOptions

  @Flag(name: .customLong("show-all-ips"), help: "Print a line for each address and what it belongs to.")
  var showAllIPs = false

  @Flag(name: .customLong("show-problem-ips"), help: "Print a line for each address that is leaked or not allocated.")
  var showProblemIPs = false

  func run() async throws {
    let session = try await datastore.read()
    var transcript = try await execute(session)
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Looks at everything; changes nothing.
  func execute(_ session: Session) async throws -> Transcript {
    do {
      // The datastore first: a container that comes into being in between is seen alive.
      let inventory = try await Inventory(session)
      let evidence = try await session.store.evidence(deadline: session.deadline)
      let addresses = inventory.addressesByHandle.mapValues { $0.map(\.address) }
      let survey = AttachmentSurvey(evidence, addresses: addresses, roots: host.roots)
      let detail = IntegrityReport.Detail(showsAll: showAllIPs, showsProblems: showProblemIPs)
      return IntegrityReport.transcript(inventory, survey, at: session.now(), detail)
    } catch {
      return .failed(error.advised)
    }
  }
}

/// Where the host's files are found.
struct HostOptions: ParsableArguments {
  /// Another place than `/` is for tests.
  @Option(name: .customLong("root"), help: .hidden)
  var root = ""

  var roots: HostRoots { HostRoots(prefix: root == "/" ? "" : root) }
}
