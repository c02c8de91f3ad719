/// An expression over labels, as Calico writes it in the selectors of its resources (Calico IPAM specification,
/// section 4.7).
///
///     environment == 'production' && (has(rack) || zone not in {'a', 'b'})
///
/// Terms are `all()`, `has(k)`, `k == 'v'`, `k != 'v'`, `k in {'v', 'w'}`, `k not in {'v'}`, `k contains 'v'`,
/// `k starts with 'v'` and `k ends with 'v'`. A label that is absent meets `!=` and `not in` and nothing else that
/// names it. `!` binds tightest, then `&&`, then `||`. The empty selector matches everything.
///
/// Text of any length and depth of nesting is parsed in time proportional to its length and without recursion; limits
/// such as the 1024 characters of a pool's selector are the caller's.
public struct Selector: Sendable {
  /// The text as it was given.
  private let text: String
  /// None if the selector matches everything.
  private let instructions: [SelectorInstruction]

  /// Parses a selector.
  ///
  /// - Parameter text: the selector; empty or only white space for the one that matches everything.
  /// - Throws: `SelectorError` for the first place where the text departs from the language.
  public init(_ text: String) throws(SelectorError) {
    self.text = text
    // The usual pool has one of these. No other text is canonically equivalent to them.
    if text.isEmpty || text == "all()" {
      instructions = []
      return
    }
    var contiguous = text
    let parsed = contiguous.withUTF8 { bytes in
      Result { () throws(SelectorError) in
        var parser = SelectorParser(bytes)
        return try parser.parse()
      }
    }
    instructions = try parsed.get()
  }

  private init(matchingEverythingAs text: String) {
    self.text = text
    instructions = []
  }

  /// `all()`, the default of a pool's `nodeSelector` (Calico IPAM specification, section 4.1).
  public static let all = Selector(matchingEverythingAs: "all()")

  /// Whether the selector applies the operator `global()`, which is not valid for pools (Calico IPAM specification,
  /// section 4.1.2). The characters `global(` inside a string do not count.
  public var usesGlobal: Bool {
    instructions.contains { instruction in
      if case .global = instruction { true } else { false }
    }
  }

  /// Whether the selector applies to something that has these labels.
  ///
  /// Labels and values are compared byte for byte. `global()` matches what does not have the label
  /// `projectcalico.org/namespace`.
  public func matches(_ labels: [String: String]) -> Bool {
    instructions.isEmpty || instructions.evaluate(labels)
  }
}

extension Selector: CustomStringConvertible {
  /// The text that was parsed, unchanged.
  public var description: String { text }
}

extension Selector: Hashable {
  /// Whether both were parsed from the same bytes. Different texts of the same meaning are different selectors.
  public static func == (left: Selector, right: Selector) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  /// Hashes the text, of which canonically equivalent ones, though different, have the same hash.
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
