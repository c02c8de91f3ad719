import CalicoModel

/// Which resources a command line names: `ippool a b`, or `ippool/a ipreservation/b` as `get -o name` prints them.
struct ResourceArguments {
  /// The kind as it was written, and the name; an empty one stands for all of the kind.
  struct Target: Hashable {
    var kind: String
    var name: String
  }

  let targets: [Target]

  /// Reads the arguments.
  ///
  /// - Parameters:
  ///   - kind: the first one.
  ///   - names: the others.
  /// - Throws: ``ResourceRefusal``.
  init(_ kind: String, _ names: [String]) throws(ResourceRefusal) {
    guard kind.contains("/") else {
      if names.contains("") { throw ResourceRefusal(description: "resource name may not be empty") }
      targets = names.isEmpty ? [Target(kind: kind, name: "")] : names.map { Target(kind: kind, name: $0) }
      return
    }
    var targets: [Target] = []
    for argument in [kind] + names {
      guard let slash = argument.firstIndex(of: "/") else {
        throw ResourceRefusal(
          description: "'\(argument)' names no kind; write \(kind) and \(kind.prefix { $0 != "/" })/\(argument), "
            + "or the kind once before all names")
      }
      let name = String(argument[argument.index(after: slash)...])
      if name.isEmpty { throw ResourceRefusal(description: "resource name may not be empty") }
      targets.append(Target(kind: String(argument[..<slash]), name: name))
    }
    self.targets = targets
  }
}
