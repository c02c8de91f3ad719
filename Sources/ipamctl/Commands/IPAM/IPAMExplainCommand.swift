import ArgumentParser
import AssignmentExplanation
import CNI
import CalicoBackend
import Datastore
import DatastoreAccess
import DatastoreSettings
import FileSystem
import IPAM
import IPAddressing
import KubernetesWorkloads
import Terminal

/// `ipamctl ipam explain`
struct IPAMExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tells which address a pod would get on a node now, and why, without taking it.",
    discussion: """
      Carries out what calico-ipam does for a new container on that node, on a copy of what it reads: each pool and why \
      it is passed over, the blocks with what is in them, whether a block would be claimed or borrowed from, and when \
      it would fail, what to change. Nothing is written and nobody waits.

      Where the datastore is Kubernetes, annotations and labels of pod and namespace are read there; those given here \
      count before them, and elsewhere they are the only ones. --pool asks for these pools, whatever annotations say. \
      Without --cni-config an IPv4 address is asked for.

      Hints of the node, by which it does not search full pools again for some seconds, do not count, nor do \
      reservations that host-local has there.

      JSON: members node, outcome (assigned or refused), addresses, refusal, remedies, asked, pools, blocks, limits, \
      writes and notes; each pool has a reason with a code, each block its free, inUse, cooling and reserved addresses \
      and verdicts.

      Exit status: 0 when it would get its addresses, 1 when it would be refused, or when that cannot be found out.

      Examples:
        ipamctl ipam explain --node node-a
        ipamctl ipam explain --node node-a --namespace web --pod web-0
        ipamctl ipam explain --node node-a --pool fast --output json
        ipamctl ipam explain --node node-a --ip 10.65.0.7 --cni-config /etc/cni/net.d/10-calico.conflist
      """
  )

  @OptionGroup var datastore: DatastoreOptions

  @Option(
    help: ArgumentHelp("The node, by its name in Calico.", valueName: "name"),
    completion: StoredNames.nodes)
  var node: String

  @Option(help: ArgumentHelp("The pod's namespace.", valueName: "name"))
  var namespace: String?

  @Option(help: ArgumentHelp("The pod; it need not exist yet.", valueName: "name"))
  var pod: String?

  @Option(
    help: ArgumentHelp("A pool to ask for, by name or CIDR; may be repeated.", valueName: "pool"),
    completion: StoredNames.pools)
  var pool: [String] = []

  @Option(help: ArgumentHelp("An address to ask for; one of each IP version.", valueName: "address"))
  var ip: [String] = []

  @Option(help: ArgumentHelp("An annotation that the pod is supposed to have.", valueName: "key=value"))
  var podAnnotation: [String] = []

  @Option(help: ArgumentHelp("An annotation that the namespace is supposed to have.", valueName: "key=value"))
  var namespaceAnnotation: [String] = []

  @Option(help: ArgumentHelp("A label that the namespace is supposed to have.", valueName: "key=value"))
  var namespaceLabel: [String] = []

  @Option(
    help: ArgumentHelp("The node's CNI configuration: a .conf or a .conflist.", valueName: "path"),
    completion: .file(extensions: ["conf", "conflist", "json"]))
  var cniConfig: String?

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: "How to print the answer: as text for people, or as JSON.")
  var output = OutputFormat.table

  func run() async throws {
    let session = try await datastore.read()
    var workloads: (any WorkloadDirectory)?
    if session.store.engine == .kubernetes {
      let settings = try datastore.settings(ProcessEnvironment.variables)
      do {
        workloads = KubernetesWorkloads(try KubernetesWorkloads.client(settings.kubernetes))
      } catch {
        throw CommandFailure(error.description)
      }
    }
    var transcript = await execute(session, workloads)
    if let absence = session.store.absence { transcript.warning(absence) }
    try transcript.deliver()
  }

  /// Finds out and tells; changes nothing.
  ///
  /// - Parameters:
  ///   - session: the datastore.
  ///   - workloads: who knows pods and namespaces; nil when nobody does.
  /// - Returns: what to print.
  func execute(_ session: Session, _ workloads: (any WorkloadDirectory)?) async -> Transcript {
    do {
      let rehearsal = Rehearsal(session.store, workloads: workloads, now: session.now)
      let explanation = try await rehearsal.explain(try question())
      var transcript = Transcript(
        output: output == .json ? explanation.document.text + "\n" : explanation.text,
        status: explanation.isAssigned ? 0 : 1)
      if output == .table {
        for note in explanation.notes { transcript.warning("note: " + PrintableText.of(note)) }
      }
      return transcript
    } catch {
      return .failed("error: \(error.advised)")
    }
  }

  private func question() throws -> AssignmentQuestion {
    var question = AssignmentQuestion(node: node)
    question.namespace = namespace
    question.pod = pod
    question.pools = pool
    question.addresses = try addresses()
    question.podAnnotations = try Self.pairs(podAnnotation, of: "--pod-annotation")
    question.namespaceAnnotations = try Self.pairs(namespaceAnnotation, of: "--namespace-annotation")
    question.namespaceLabels = try Self.pairs(namespaceLabel, of: "--namespace-label")
    if let cniConfig {
      do throws(SystemError) {
        question.networkConfiguration = try File.contents(at: cniConfig)
      } catch {
        throw CommandFailure("cannot read \(PrintableText.of(cniConfig)): \(systemReason(error.number))")
      }
    }
    return question
  }

  private func addresses() throws -> [IPAddress] {
    var addresses: [IPAddress] = []
    for text in ip {
      guard let address = IPAddress(text) else {
        throw CommandFailure("invalid IP address specified: \(PrintableText.of(text))")
      }
      guard !addresses.contains(where: { $0.family == address.family }) else {
        throw CommandFailure("--ip names two IPv\(address.family.rawValue) addresses; a pod has one of each version")
      }
      addresses.append(address)
    }
    return addresses
  }

  private static func pairs(_ texts: [String], of option: String) throws -> [String: String] {
    var pairs: [String: String] = [:]
    for text in texts {
      guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
        throw CommandFailure("\(option) \(QuotedText.quote(text.utf8)): it must be KEY=VALUE")
      }
      pairs[String(text[..<sign])] = String(text[text.index(after: sign)...])
    }
    return pairs
  }
}
