/// All that is said of one destination. Nearly always it is one thing, which takes no list of its own.
enum Statements: Sendable {
  case none
  case one(Statement)
  /// In no order, the same as often as it is said.
  case several([Statement])

  var isEmpty: Bool {
    switch self {
    case .none: true
    case .one: false
    case .several(let statements): statements.isEmpty
    }
  }

  func forEach(_ visit: (Statement) -> Void) {
    switch self {
    case .none: break
    case .one(let statement): visit(statement)
    case .several(let statements): for statement in statements { visit(statement) }
    }
  }

  mutating func append(_ statement: Statement) {
    switch self {
    case .none: self = .one(statement)
    case .one(let first): self = .several([first, statement])
    case .several(var statements):
      // Held here alone, the list is not copied.
      self = .none
      statements.append(statement)
      self = .several(statements)
    }
  }

  /// Takes a statement back, once.
  mutating func remove(_ statement: Statement) {
    switch self {
    case .none: break
    case .one(let only): if only == statement { self = .none }
    case .several(var statements):
      self = .none
      if let index = statements.firstIndex(of: statement) { statements.remove(at: index) }
      self = statements.count == 1 ? .one(statements[0]) : .several(statements)
    }
  }
}
