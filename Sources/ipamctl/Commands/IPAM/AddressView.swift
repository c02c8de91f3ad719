import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Terminal

/// Who holds one address.
struct AddressView {
  private enum Finding {
    case invalid(String)
    case unassigned(IPAddress)
    case coolingDown(IPAddress)
    case assigned(IPAddress, AttributesOfAddress.Result)
  }

  private let finding: Finding

  init(_ text: String, _ session: Session) async throws {
    guard let address = IPAddress(text) else {
      finding = .invalid(text)
      return
    }
    do {
      finding = .assigned(address, try await session.run(AttributesOfAddress(address, time: session.now())))
    } catch let error as EngineError where error.code == .doesNotExist {
      finding = .unassigned(address)
    } catch let error as EngineError where error.code == .coolingDown {
      finding = .coolingDown(address)
    }
  }

  func transcript(_ format: OutputFormat) -> Transcript {
    var transcript = Transcript()
    switch finding {
    case .invalid(let text): return .invalidAddress(text)
    case .coolingDown(let address): transcript.failure("address \(address) is in cooldown")
    case .unassigned(let address):
      let document: JSON = ["address": .string(address.description), "assigned": false]
      transcript.line(format == .json ? document.text : "\(address) is not assigned")
    case .assigned(let address, let found):
      if format == .json {
        transcript.line(Self.document(address, found).text)
      } else {
        Self.describe(address, found, in: &transcript)
      }
    }
    return transcript
  }

  private static func describe(
    _ address: IPAddress, _ found: AttributesOfAddress.Result, in transcript: inout Transcript
  ) {
    transcript.line("IP \(address) is in use")
    transcript.line("Handle ID: \(found.handleID.map { PrintableText.of($0) } ?? "<none>")")
    if found.owner.isEmpty {
      transcript.line("No Active Owner attributes defined")
    } else {
      transcript.line("Active Owner Attributes:")
      list(found.owner, in: &transcript)
    }
    if !found.alternateOwner.isEmpty {
      transcript.line("Alternate Owner Attributes:")
      list(found.alternateOwner, in: &transcript)
    }
  }

  private static func list(_ attributes: [String: String], in transcript: inout Transcript) {
    for (key, value) in attributes.sortedByKey {
      transcript.line("  \(PrintableText.of(key)): \(PrintableText.of(value))")
    }
  }

  private static func document(_ address: IPAddress, _ found: AttributesOfAddress.Result) -> JSON {
    [
      "address": .string(address.description), "assigned": true, "block": .string(found.block.description),
      "handle": JSON(found.handleID), "sequenceNumber": .number(JSONNumber(found.sequenceNumber)),
      "owner": found.owner.document, "alternateOwner": found.alternateOwner.document,
    ]
  }
}

extension Transcript {
  /// What calicoctl says to a text that is no address, on stdout.
  static func invalidAddress(_ text: String) -> Transcript {
    Transcript(
      output: "Error executing command: invalid IP address specified: \(PrintableText.of(text))\n", status: 1)
  }
}

extension [String: String] {
  /// The pairs in the order of the bytes of their keys.
  var sortedByKey: [(key: String, value: String)] {
    sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  var document: JSON {
    .object(JSONObject(sortedByKey.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
  }
}
