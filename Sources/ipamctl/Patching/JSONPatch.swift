import JSON

/// Changes a document step by step (RFC 6902).
struct JSONPatch {
  private let operations: [Operation]

  private enum Operation {
    case add(JSONPointer, JSON)
    case remove(JSONPointer)
    case replace(JSONPointer, JSON)
    case move(from: JSONPointer, JSONPointer)
    case copy(from: JSONPointer, JSONPointer)
    case test(JSONPointer, JSON)
  }

  /// Reads a patch: a list of operations.
  init(_ document: JSON) throws(PatchFailure) {
    guard case .array(let elements) = document else {
      throw PatchFailure(
        "a JSON patch is a list such as [{\"op\":\"replace\",\"path\":\"/spec/disabled\",\"value\":true}]")
    }
    var operations: [Operation] = []
    for (index, element) in elements.enumerated() {
      do throws(PatchFailure) {
        operations.append(try Self.operation(element))
      } catch {
        throw PatchFailure("operation \(index): \(error)")
      }
    }
    self.operations = operations
  }

  private static func operation(_ element: JSON) throws(PatchFailure) -> Operation {
    guard case .object(let members) = element else { throw PatchFailure("it is no object") }
    func pointer(_ key: String) throws(PatchFailure) -> JSONPointer {
      guard let text = members[key]?.stringValue else { throw PatchFailure("'\(key)' is missing") }
      return try JSONPointer(text)
    }
    func value() throws(PatchFailure) -> JSON {
      guard let value = members["value"] else { throw PatchFailure("'value' is missing") }
      return value
    }
    let path = try pointer("path")
    switch members["op"]?.stringValue {
    case "add": return .add(path, try value())
    case "remove": return .remove(path)
    case "replace": return .replace(path, try value())
    case "move": return .move(from: try pointer("from"), path)
    case "copy": return .copy(from: try pointer("from"), path)
    case "test": return .test(path, try value())
    default: throw PatchFailure("'op' has to be add, remove, replace, move, copy or test")
    }
  }

  /// The document after all operations.
  ///
  /// - Throws: ``PatchFailure`` when one cannot be done: then none is.
  func apply(to document: JSON) throws(PatchFailure) -> JSON {
    var result = document
    for (index, operation) in operations.enumerated() {
      do throws(PatchFailure) {
        try Self.apply(operation, to: &result)
      } catch {
        throw PatchFailure("operation \(index): \(error)")
      }
    }
    return result
  }

  private static func apply(_ operation: Operation, to document: inout JSON) throws(PatchFailure) {
    switch operation {
    case .add(let path, let value): try add(value, at: path, to: &document)
    case .remove(let path): try remove(path, from: &document)
    case .replace(let path, let value):
      _ = try path.value(in: document)
      guard !path.tokens.isEmpty else {
        document = value
        return
      }
      try remove(path, from: &document)
      try add(value, at: path, to: &document)
    case .move(let from, let path):
      if path.isInside(from) { throw PatchFailure("'\(from)' cannot be moved into itself") }
      let value = try from.value(in: document)
      try remove(from, from: &document)
      try add(value, at: path, to: &document)
    case .copy(let from, let path): try add(try from.value(in: document), at: path, to: &document)
    case .test(let path, let value):
      let found = try path.value(in: document)
      guard found == value else {
        throw PatchFailure("path '\(path)' is \(found.compactText), not \(value.compactText)")
      }
    }
  }

  private static func add(_ value: JSON, at path: JSONPointer, to document: inout JSON) throws(PatchFailure) {
    guard !path.tokens.isEmpty else {
      document = value
      return
    }
    try path.changeParent(in: &document) { parent, token throws(PatchFailure) in
      switch parent {
      case .object(var object):
        object[token] = value
        parent = .object(object)
      case .array(var elements):
        elements.insert(value, at: token == "-" ? elements.count : try path.index(token, below: elements.count + 1))
        parent = .array(elements)
      default: throw path.absence
      }
    }
  }

  private static func remove(_ path: JSONPointer, from document: inout JSON) throws(PatchFailure) {
    try path.changeParent(in: &document) { parent, token throws(PatchFailure) in
      switch parent {
      case .object(var object) where object[token] != nil:
        object[token] = nil
        parent = .object(object)
      case .array(var elements):
        elements.remove(at: try path.index(token, below: elements.count))
        parent = .array(elements)
      default: throw path.absence
      }
    }
  }
}

extension JSON {
  /// The document on one line.
  var compactText: String { String(decoding: encoded(), as: UTF8.self) }
}
