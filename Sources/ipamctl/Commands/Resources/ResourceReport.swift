import CalicoModel

/// What became of the resources of a command, and calicoctl's words for it (calicoctl specification, section 4.3).
struct ResourceReport {
  /// The kind of all resources; nil when there are several kinds.
  let kind: String?
  /// How many resources there were.
  let total: Int
  private(set) var handled = 0
  private(set) var errors: [String] = []

  init(_ resources: [Resource]) {
    self.init(resources.map(\.kind))
  }

  init(_ kinds: [ResourceKind]) {
    total = kinds.count
    kind = Set(kinds).count == 1 ? kinds.first?.rawValue : nil
  }

  /// Does something to one resource, and notes whether it worked. Whatever fails, the others are still dealt with.
  mutating func perform(_ body: () async throws -> Void) async {
    do {
      try await body()
      handled += 1
    } catch {
      errors.append(error.advised)
    }
  }

  /// `'IPPool' ` where there is one kind.
  private var kindText: String { kind.map { "'\($0)' " } ?? "" }

  /// The end of a command that creates or changes resources.
  ///
  /// - Parameters:
  ///   - action: such as `apply`.
  ///   - past: such as `applied`.
  /// - Returns: what to print.
  func transcript(_ action: String, _ past: String) -> Transcript {
    var transcript = Transcript()
    let list = "[\(errors.joined(separator: " "))]"
    if total == 0 {
      transcript.line("No resources specified")
    } else if handled == 0 {
      let any = total == 1 ? "" : "any "
      transcript.failure("failed to \(action) \(any)\(kindText)\(total == 1 ? "resource" : "resources"): \(list)")
    } else if errors.isEmpty {
      transcript.line("Successfully \(past) \(handled) \(kindText)resource(s)")
    } else {
      if handled > errors.count {
        transcript.line("Partial success: \(past) the first \(handled) out of \(total) \(kindText)resources:")
      }
      transcript.failure("hit error: \(list)")
    }
    return transcript
  }

  /// The end of a deletion.
  var deletion: Transcript {
    var transcript = Transcript()
    if total == 0 { transcript.line("No resources specified") }
    if handled > 0 { transcript.line("Successfully deleted \(handled) \(kindText)resource(s)") }
    for error in errors { transcript.failure("Failed to delete \(kindText)resource: \(error)") }
    if !errors.isEmpty { transcript.failure("") }
    return transcript
  }
}

/// A resource that cannot be dealt with, for a reason that has nothing to do with the datastore.
struct ResourceRefusal: Error, CustomStringConvertible {
  let description: String

  /// A namespace was given for a kind that has none.
  static func notNamespaced(_ kind: ResourceKind) -> ResourceRefusal {
    ResourceRefusal(description: "\(kind.rawValue) is not namespaced")
  }
}
