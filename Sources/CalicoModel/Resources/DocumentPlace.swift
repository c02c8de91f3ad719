/// A place in a document: the way to it from the top.
public struct DocumentPlace: Hashable, Sendable, CustomStringConvertible {
  public enum Step: Hashable, Sendable {
    /// Into an object, by a key as it is written there.
    case member(String)
    /// Into an array, by an index from 0.
    case element(Int)
  }

  public var steps: [Step]

  /// A place; without steps the document itself.
  public init(_ steps: [Step] = []) {
    self.steps = steps
  }

  /// The place of a member of the object here.
  public func member(_ key: String) -> DocumentPlace { DocumentPlace(steps + [.member(key)]) }

  /// The place of an element of the array here.
  public func element(_ index: Int) -> DocumentPlace { DocumentPlace(steps + [.element(index)]) }

  /// Such as `items[1].spec.cidr`; empty for the document itself.
  public var description: String {
    var text = ""
    for step in steps {
      switch step {
      case .member(let key): text += text.isEmpty ? key : "." + key
      case .element(let index): text += "[\(index)]"
      }
    }
    return text
  }
}
