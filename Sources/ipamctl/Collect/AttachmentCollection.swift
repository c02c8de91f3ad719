import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import SQLiteDatastore

/// What two looks at the attachments have in common, and what came of it.
struct AttachmentCollection {
  private let latest: AttachmentLook
  /// Dead both times with the same addresses.
  let candidates: [AttachmentLook.Item]
  /// The candidates within the budget.
  let chosen: [AttachmentLook.Item]
  /// The addresses that were released; nil for a dry run.
  private var released: Set<IPAddress>?
  /// What kept addresses from being released.
  private var failures: [String] = []

  /// Compares two looks.
  ///
  /// - Parameters:
  ///   - first: the earlier look.
  ///   - second: the later look.
  ///   - budget: how many addresses may be released; nil for all. A handle's addresses are released together, so the
  ///     first handle that would go beyond ends the choice.
  init(first: AttachmentLook, second: AttachmentLook, budget: Int?) {
    latest = second
    candidates = second.dead.filter { item in first.dead.contains { $0.isSame(as: item) } }
    var rest = budget ?? .max
    chosen = Array(
      candidates.prefix { item in
        rest -= item.holdings.count
        return rest >= 0
      })
  }

  /// Releases what was chosen, each address on the condition that it is still the one that was seen.
  mutating func release(_ session: Session) async throws {
    var released: Set<IPAddress> = []
    let options = chosen.flatMap(\.options)
    if !options.isEmpty {
      let result = try await session.run(ReleaseAddresses(options, time: session.now()))
      released = Set(result.released.map(\.address)).subtracting(result.unallocated)
      if let error = result.error { failures.append(error.advised) }
    }
    // The evidence of a handle that was deleted went with it.
    for item in chosen where item.holdings.allSatisfy({ released.contains($0.address) }) {
      try await session.store.forgetEvidence(item.handle, deadline: session.deadline)
    }
    self.released = released
  }

  /// Whether not everything that was chosen could be done.
  var isIncomplete: Bool { !failures.isEmpty }

  var lines: [String] {
    var lines: [String] = []
    if chosen.isEmpty {
      let isComplete = latest.survey.host.obstacles.isEmpty
      lines.append(
        "Nothing to release: \(isComplete ? "no recorded attachment is dead" : Finding.lookIncomplete.text).")
    }
    for item in chosen {
      for holding in item.holdings { lines.append(line(holding.address, of: item)) }
      if item.holdings.isEmpty {
        lines.append(
          "\(released == nil ? "would forget" : "forgot") \(item.holder), which holds no address; \(item.proof)")
      }
    }
    let rest = candidates.count - chosen.count
    if rest > 0 { lines.append("\(rest.of("more handle", plural: "more handles")) beyond --max-releases.") }
    return lines + failures
  }

  private func line(_ address: IPAddress, of item: AttachmentLook.Item) -> String {
    guard let released else { return "would release \(address): \(item.holder); \(item.proof)" }
    guard released.contains(address) else { return "left alone \(address): \(item.holder); it changed meanwhile" }
    return "released \(address): \(item.holder); \(item.proof)"
  }

  var documents: [JSON] {
    chosen.map { item in
      [
        "handle": .string(item.handle), "network": .string(item.evidence.first?.network ?? ""),
        "container": .string(item.evidence.first?.containerID ?? ""),
        "interfaces": JSON(item.evidence.map(\.interfaceName)),
        "reasons": .array(item.verdict.findings.map { ["code": .string($0.code), "text": .string($0.text)] }),
        "addresses": .array(
          item.holdings.map { holding in
            [
              "address": .string(holding.address.description),
              "sequenceNumber": .number(JSONNumber(holding.sequenceNumber)),
              "released": .bool(released?.contains(holding.address) ?? false),
            ]
          }),
      ]
    }
  }
}

extension AttachmentLook.Item {
  /// `dead: its network namespace is gone`
  fileprivate var proof: String { "\(verdict.liveness.rawValue): \(verdict.reason)" }
}
