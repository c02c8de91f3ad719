import CalicoModel
import Datastore
import IPAddressing
import SQLiteDatastore
import Terminal

/// One look at what calico-ipam recorded on this host and gave out, and at the host.
struct AttachmentLook {
  /// A handle that nobody needs any more.
  struct Item: Hashable {
    /// An address as it was given out: the sequence number tells it from a later one.
    struct Holding: Hashable {
      var address: IPAddress
      var sequenceNumber: UInt64
    }

    let handle: String
    let evidence: [AttachmentEvidence]
    let holdings: [Holding]
    let verdict: Verdict

    /// Whether the other look saw the same attachment with the same addresses.
    func isSame(as other: Item) -> Bool {
      handle == other.handle && evidence == other.evidence && holdings == other.holdings
    }
  }

  let inventory: Inventory
  let survey: AttachmentSurvey
  /// The dead, in the order of handles.
  let dead: [Item]

  /// Reads the datastore first and looks at the host afterwards, so that a container which came into being in between is
  /// seen alive.
  init(_ session: Session, _ roots: HostRoots) async throws {
    let inventory = try await Inventory(session)
    let evidence = try await session.store.evidence(deadline: session.deadline)
    let holdings = inventory.addressesByHandle
    let survey = AttachmentSurvey(evidence, addresses: holdings.mapValues { $0.map(\.address) }, roots: roots)
    self.inventory = inventory
    self.survey = survey
    dead = survey.verdicts.keys.sorted().compactMap { handle in
      guard let verdict = survey.verdicts[handle], verdict.liveness == .dead else { return nil }
      return Item(
        handle: handle, evidence: survey.evidence[handle] ?? [],
        holdings: (holdings[handle] ?? []).map {
          Item.Holding(address: $0.address, sequenceNumber: $0.sequenceNumber)
        }, verdict: verdict)
    }
  }
}

extension AttachmentLook.Item {
  /// `handle pods.c1, container c1, interface eth0 of network 'pods'`
  var holder: String {
    let interfaces = evidence.map(\.interfaceName).joined(separator: ", ")
    let network = evidence.first?.network ?? ""
    let container = evidence.first?.containerID ?? ""
    return PrintableText.of("handle \(handle), container \(container), interface \(interfaces) of network '\(network)'")
  }

  /// What is to be given back, and on what condition.
  var options: [ReleaseOption] {
    holdings.map { ReleaseOption($0.address, handleID: handle, sequenceNumber: $0.sequenceNumber) }
  }
}
