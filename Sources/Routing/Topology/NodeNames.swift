/// The names of the nodes that something is of: at least one.
///
/// Nearly always it is one, unless somebody made a mistake. A set of its own for each of thousands of addresses would take
/// several times the room.
enum NodeNames: Sendable {
  case one(String)
  case several(Set<String>)

  /// The first by name, so that all nodes agree.
  var first: String {
    switch self {
    case .one(let name): name
    // There are at least two.
    case .several(let names): names.min() ?? ""
    }
  }

  func contains(_ name: String) -> Bool {
    switch self {
    case .one(let only): only == name
    case .several(let names): names.contains(name)
    }
  }

  func forEach(_ visit: (String) -> Void) {
    switch self {
    case .one(let name): visit(name)
    case .several(let names): for name in names { visit(name) }
    }
  }

  mutating func insert(_ name: String) {
    switch self {
    case .one(let only): if only != name { self = .several([only, name]) }
    case .several(var names):
      // Held here alone, it is not copied.
      self = .one(name)
      names.insert(name)
      self = .several(names)
    }
  }

  /// What is left without a name; nil for nothing.
  func removing(_ name: String) -> NodeNames? {
    switch self {
    case .one(let only): return only == name ? nil : self
    case .several(var names):
      names.remove(name)
      guard names.count == 1, let last = names.first else { return .several(names) }
      return .one(last)
    }
  }
}

extension Dictionary where Value == NodeNames {
  mutating func put(_ name: String, at key: Key) { self[key, default: .one(name)].insert(name) }

  mutating func take(_ name: String, from key: Key) { self[key] = self[key]?.removing(name) }
}
