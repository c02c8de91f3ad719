/// How a JSON value is written.
public struct JSONFormat: Hashable, Sendable {
  /// The blanks per level, or nil for the compact form without any white space.
  ///
  /// With a number, each element and member has a line of its own, keys read `"key": value`, and empty containers stay
  /// `{}` and `[]`.
  public var indentation: Int?

  /// Whether the members of every object are written in the order of their keys' UTF-8 bytes.
  ///
  /// Members of equal keys keep their order.
  public var sortsKeys: Bool

  /// Whether U+FFFD is written as the escape `\ufffd` rather than raw.
  ///
  /// Go writes the escape where it finds invalid text while encoding a string, the raw character where it was there
  /// before.
  public var escapesReplacementCharacter: Bool

  /// Makes a format; without arguments, the compact one.
  public init(indentation: Int? = nil, sortsKeys: Bool = false, escapesReplacementCharacter: Bool = false) {
    self.indentation = indentation
    self.sortsKeys = sortsKeys
    self.escapesReplacementCharacter = escapesReplacementCharacter
  }

  /// No white space, members in their own order.
  public static var compact: JSONFormat { JSONFormat() }
}
