import ArgumentParser
import CNI
import CalicoBackend
import HostLocal
import IPAddressing
import JSON
import Terminal

/// `ipamctl host-local adopt`
struct AdoptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt",
    abstract: "Hands a network's addresses from calico-ipam over to host-local, the way back of a switch.",
    discussion: """
      While calico-ipam has given addresses of a network out, host-local refuses to give out any that may be the same. \
      This reserves each of them for the container that has it, and releases it in the datastore; containers keep \
      running with their addresses. When none is left host-local gives addresses out again. What is cut off goes on \
      where it stopped when it is run again.

      Switch the network's configuration to host-local first, so that calico-ipam gives nothing out any more. The way \
      there is 'calico-ipam -upgrade'.

      Exit status: 0 when nothing of the network is left in the datastore, or would be left; 1 otherwise.

      Examples:
        ipamctl host-local adopt --network pods
        ipamctl host-local adopt --network pods --apply
      """
  )

  @Option(help: ArgumentHelp("The network.", valueName: "name"), completion: NetworkSelection.completion)
  var network: String

  @Option(
    help: ArgumentHelp(
      "Whose addresses are handed over. Without it: the node of this host, as calico-ipam finds it.", valueName: "name")
  )
  var node: String?

  @Option(help: ArgumentHelp("The interface of containers for which the datastore records none.", valueName: "name"))
  var interface = "eth0"

  @Flag(help: "Hand over. Without it nothing is changed.")
  var apply = false

  @OptionGroup var store: StoreOptions
  @OptionGroup var datastore: DatastoreOptions

  func validate() throws {
    try NetworkSelection.validate(network)
    if node == "" { throw ValidationError("--node is empty; name the node, or leave it out.") }
    let isForbidden = { (byte: UInt8) in byte <= 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") }
    guard (1...15).contains(interface.utf8.count), interface != ".", interface != "..",
      !interface.utf8.contains(where: isForbidden)
    else { throw ValidationError("'\(PrintableText.of(interface))' is no interface name.") }
  }

  func run() async throws { try await execute(datastore.open(writes: apply)).deliver() }

  /// Shows or hands over.
  func execute(_ session: Session) async throws -> CommandOutcome {
    let log: @Sendable (String) -> Void = { CNIStreams.ofProcess.log("warning: \($0)") }
    let node = node ?? NodeName.ofHost(log: log)
    let handover = ReturnToHostLocal(
      network: network, node: node, dataDirectory: store.dataDirectory, interfaceName: interface, store: session.store,
      evidence: { try await session.store.evidence(deadline: session.deadline) }, log: log)
    do {
      let survey = try await handover.survey()
      guard !survey.isEmpty || handover.isMarked else {
        throw CommandFailure(
          "nothing to adopt: \(session.store.name) has no address of network '\(network)', and calico-ipam has given "
            + "out none that host-local below \(store.dataDirectory) knows of"
            + (session.store.absence.map { "; \($0)" } ?? ""))
      }
      return outcome(apply ? try await handover.perform() : try handover.preview(survey), node)
    } catch let error as HostLocalError {
      throw CommandFailure("cannot hand over the addresses of network '\(network)'", error)
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure("cannot hand over the addresses of network '\(network)': \(error.advised)")
    }
  }

  private func outcome(_ report: ReturnToHostLocal<ChosenDatastore>.Report, _ node: String) -> CommandOutcome {
    let status: Int32 = report.isComplete ? 0 : 1
    switch store.output {
    case .json:
      let document: JSON = [
        "dataDir": .string(store.dataDirectory),
        "network": .string(network),
        "node": .string(node),
        "applied": .bool(apply),
        "complete": .bool(report.isComplete),
        "adopted": .array(
          report.moved.map {
            [
              "address": .string($0.address.description), "container": .string($0.containerID),
              "interface": .string($0.interfaceName),
            ]
          }),
        "kept": .array(
          report.kept.map { ["address": .string($0.address.description), "reason": .string($0.reason)] }),
      ]
      return CommandOutcome(output: document.text, status: status)
    case .table:
      return CommandOutcome(output: lines(report).joined(separator: "\n"), status: status)
    }
  }

  private func lines(_ report: ReturnToHostLocal<ChosenDatastore>.Report) -> [String] {
    var lines = report.moved.map { holding in
      "\(apply ? "handed over" : "would hand over") \(holding.address) of network '\(network)': container "
        + "\(PrintableText.of(holding.containerID)), interface \(PrintableText.of(holding.interfaceName))"
    }
    lines += report.kept.map { kept in
      "\(apply ? "kept" : "would keep") \(kept.address) in the datastore: \(PrintableText.of(kept.reason))"
    }
    switch (report.isComplete, apply) {
    case (true, true): lines.append("host-local gives out addresses of network '\(network)' again.")
    case (true, false): lines.append("host-local would give out addresses of network '\(network)' again.")
    case (false, _):
      lines.append("host-local refuses to give out addresses of these pools until the rest is handed over as well.")
    }
    if !apply { lines.append("Nothing was changed; --apply hands over.") }
    return lines
  }
}
