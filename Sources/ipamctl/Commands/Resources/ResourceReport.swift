import CalicoModel

/// What became of the resources of a command, and calicoctl's words for it (calicoctl specification, section 4.3).
struct ResourceReport {
  /// The kind of all resources; nil when there are several kinds.
  let kind: String?
  /// How many resources there were.
  let total: Int
  private(set) var handled = 0
  private(set) var errors: [String] = []
  /// What may help, a line each: it is printed after what calicoctl says.
  private(set) var advice: [String] = []

  init(_ resources: [Resource]) {
    self.init(resources.map(\.kind.rawValue))
  }

  init(_ kinds: [String]) {
    total = kinds.count
    kind = Set(kinds).count == 1 ? kinds.first : nil
  }

  /// Does something to one resource, and notes whether it worked. Whatever fails, the others are still dealt with.
  ///
  /// - Parameters:
  ///   - written: where the resource was written, when it comes from a file.
  ///   - reading: what finds the names that there are, to name the one that was probably meant.
  ///   - body: what is to be done.
  mutating func perform(
    _ written: WrittenResource? = nil, _ reading: ResourceReading? = nil, _ body: () async throws -> Void
  ) async {
    do {
      try await body()
      handled += 1
    } catch {
      note(error, written)
      guard let error = error as? ResourceError, case .doesNotExist(.resource(let kind, let name)) = error.code,
        let meant = await reading?.name(like: name, kind)
      else { return }
      advice.append("\(written.map { $0.location + ", " } ?? "")\(kind.rawValue)(\(name)): did you mean '\(meant)'?")
    }
  }

  /// Looks at one resource, and notes whether it is as it should be.
  mutating func check(_ written: WrittenResource, _ body: () throws -> Void) {
    do {
      try body()
      handled += 1
    } catch {
      note(error, written)
    }
  }

  private mutating func note(_ error: any Error, _ written: WrittenResource?) {
    errors.append(error.advised)
    guard let error = error as? ResourceError else { return }
    if case .invalid(let fields) = error.code, let written {
      advice += fields.map { written.location(of: $0) }
    } else if let line = error.advice {
      advice.append(line)
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
    advice.forEach { transcript.warning($0) }
    return transcript
  }

  /// The end of a deletion.
  var deletion: Transcript {
    var transcript = Transcript()
    if total == 0 { transcript.line("No resources specified") }
    if handled > 0 { transcript.line("Successfully deleted \(handled) \(kindText)resource(s)") }
    for error in errors { transcript.failure("Failed to delete \(kindText)resource: \(error)") }
    if !errors.isEmpty { transcript.failure("") }
    advice.forEach { transcript.warning($0) }
    return transcript
  }
}

/// A resource that cannot be dealt with, for a reason that has nothing to do with the datastore.
struct ResourceRefusal: Error, CustomStringConvertible {
  let description: String

  /// A namespace was given for a kind that has none.
  static func notNamespaced(_ kind: String) -> ResourceRefusal {
    ResourceRefusal(description: "\(kind) is not namespaced")
  }
}

extension Transcript {
  /// What was wrong with a command line or a file: the words of calicoctl, and what may help.
  static func refused(_ error: any Error) -> Transcript {
    guard let error = error as? ResourceError, let advice = error.advice else { return .failed("\(error)") }
    return .failed("\(error)\n\(advice)")
  }
}
