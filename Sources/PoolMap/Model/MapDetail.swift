/// What a cell of a drawing stands for.
public enum MapDetail: Hashable, Sendable {
  /// A block, or a network of several where there are more blocks than can be drawn.
  case blocks
  /// An address.
  case addresses
}
