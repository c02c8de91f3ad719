/// The pairs of `CNI_ARGS`: `K=V;K=V` (CNI specification 1.1.0, section 2).
public struct CNIArguments: Sendable {
  /// One `K=V`, as bytes.
  public struct Pair: Sendable {
    /// The pair as written.
    public let text: ArraySlice<UInt8>
    public let key: ArraySlice<UInt8>
    public let value: ArraySlice<UInt8>

    /// Whether the key is exactly `name`; keys are case sensitive.
    public func hasKey(_ name: StaticString) -> Bool {
      name.withUTF8Buffer { key.elementsEqual($0) }
    }

    /// The pair in quotes, for messages.
    public var quoted: String { QuotedText.quote(text) }
  }

  /// The pairs in order; one that does not hold exactly one `=` is the piece as written.
  public enum Piece: Sendable {
    case pair(Pair)
    case invalid(quoted: String)
  }

  public let pieces: [Piece]

  /// Splits at every `;`, so a trailing one yields an invalid empty piece. An empty text has no pieces.
  public init(_ text: [UInt8]) {
    guard !text.isEmpty else {
      pieces = []
      return
    }
    pieces = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { piece in
      let halves = piece.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
      guard halves.count == 2 else { return .invalid(quoted: QuotedText.quote(piece)) }
      return .pair(Pair(text: piece, key: halves[0], value: halves[1]))
    }
  }
}
