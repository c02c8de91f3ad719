import CNI
import CalicoModel
import Datastore
import IPAddressing
import IntegrityCheck
import JSON
import Terminal

// What is said of repairs: a line for people, and a line of JSON for the log.

extension RepairPlan.Step {
  /// `would correct handle pods.c1: it counts 2 addresses and holds 1`
  var line: String {
    let reason = evidence.joined(separator: "; ")
    let (infinitive, past) = verbs
    let text =
      switch outcome {
      case .planned where rest > 0:
        "would \(infinitive) \(name) once it has been unchanged for \(patience) s (\(age) s so far): \(reason)"
      case .planned: "would \(infinitive) \(name): \(reason)"
      case .repaired: "\(past) \(name): \(reason)"
      case .changed: "left alone \(name): it changed meanwhile"
      case .doubtful: "left alone \(name): \(reason)"
      case .failed(let error): "failed to \(infinitive) \(name): \(error)"
      }
    return PrintableText.of(text)
  }

  /// How many of the problems of a check it is about; what is set right besides is none of them.
  func problemCount(leaked: Set<IPAddress>) -> Int {
    switch work {
    case .fault(let fault):
      if case .openAffinity = fault.subject, fault.revision == nil { 0 } else { 1 }
    case .release(let leaks), .cool(let leaks): leaks.count { leaked.contains($0.address) }
    }
  }

  /// What it is about.
  private var name: String {
    switch work {
    case .fault(let fault): return fault.name
    case .release(let leaks), .cool(let leaks):
      let addresses = leaks.map(\.address.description).joined(separator: ", ")
      guard let handle = leaks.first?.handleID else { return addresses }
      return "\(addresses) of handle \(handle)"
    }
  }

  private var verbs: (infinitive: String, past: String) {
    switch work {
    case .release, .cool: return ("release", "released")
    case .fault(let fault):
      switch fault.remedy {
      case "mend": return ("mend", "mended")
      case "delete": return ("delete", "deleted")
      case "create": return ("create", "created")
      case "confirm": return ("confirm", "confirmed")
      case "finish deleting": return ("finish deleting", "finished deleting")
      default: return ("correct", "corrected")
      }
    }
  }

  /// The log's entry.
  ///
  /// - Parameter time: when it was tried.
  /// - Returns: the document.
  func document(at time: Timestamp) -> JSON {
    var members: [JSONObject.Member] = [
      JSONObject.Member(key: "time", value: .string(time.description)),
      JSONObject.Member(key: "remedy", value: .string(verbs.infinitive)),
    ]
    func add(_ key: String, _ value: JSON) { members.append(JSONObject.Member(key: key, value: value)) }
    switch work {
    case .fault(let fault):
      add("entry", .string(fault.path))
      add("revision", fault.revision.map { .string($0.token) } ?? .null)
    case .release(let leaks), .cool(let leaks):
      if let handle = leaks.first?.handleID { add("handle", .string(handle)) }
      add(
        "addresses",
        .array(
          leaks.map {
            [
              "address": .string($0.address.description), "sequenceNumber": .number(JSONNumber($0.sequenceNumber)),
              "attributes": .string($0.attributeText),
            ]
          }))
    }
    add("evidence", JSON(evidence))
    add("seenForSeconds", .number(JSONNumber(age)))
    switch outcome {
    case .planned: add("outcome", "planned")
    case .repaired: add("outcome", "repaired")
    case .changed: add("outcome", "changed meanwhile")
    case .doubtful: add("outcome", "left alone")
    case .failed(let error):
      add("outcome", "failed")
      add("error", .string(error))
    }
    return .object(JSONObject(members))
  }
}

extension RepairPlan {
  /// What is planned, and what is not and why.
  var lines: [String] {
    var lines = steps.map(\.line)
    for (leak, reason) in kept {
      lines.append(PrintableText.of("keeps \(leak.address), which nobody is seen to use: \(reason)"))
    }
    for fault in hopeless { lines.append(PrintableText.of("cannot repair \(fault.name): \(fault.text)")) }
    if beyondBudget > 0 {
      lines.append("\(beyondBudget.of("more address is", plural: "more addresses are")) beyond --max-releases.")
    }
    return lines
  }

  /// What the repairs came to.
  var summary: String {
    let repaired = steps.count { $0.outcome == .repaired }
    let left = steps.count - repaired + hopeless.count + kept.count + beyondBudget
    return "Made \(repaired.of("repair", plural: "repairs")); \(left) left."
  }

  /// Whether a block was mended: until then nobody could tell whose addresses it has.
  var hasMended: Bool {
    steps.contains { step in
      guard step.outcome == .repaired, case .fault(let fault) = step.work, case .block = fault.subject else {
        return false
      }
      return true
    }
  }

  /// 0 when everything that was found is repaired, 1 when a repair failed, 2 when something is left.
  func exitStatus(_ findings: Findings) -> Int32 {
    let hasFailed = steps.contains { if case .failed = $0.outcome { true } else { false } }
    if hasFailed { return 1 }
    let leaked = Set(findings.leaks.map(\.address))
    let repaired = steps.filter { $0.outcome == .repaired }.map { $0.problemCount(leaked: leaked) }.reduce(0, +)
    let isComplete = repaired >= findings.problems && findings.unsettledCount == 0 && beyondBudget == 0
    return isComplete ? 0 : IPAMCheckCommand.problemStatus
  }
}
