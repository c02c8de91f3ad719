/// The version of this package, as its programs print it.
public enum PackageVersion {
  /// Without a leading `v`.
  public static let current = "0.1.0"
}
