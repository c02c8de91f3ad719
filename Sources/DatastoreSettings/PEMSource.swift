/// Where a certificate or a key comes from.
public enum PEMSource: Hashable, Sendable {
  /// A file, which may be replaced while a program runs.
  case file(String)
  /// The PEM text itself.
  case text(String)
}
