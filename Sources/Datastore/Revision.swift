/// Which state of an entry was read: what a later write compares with.
///
/// Opaque to everybody but the driver that made it.
public struct Revision: Hashable, Sendable, CustomStringConvertible {
  /// The driver's token: a number in etcd and SQLite, a resource version in Kubernetes.
  public let token: String
  /// What tells an entry from another of the same name that was there before; only Kubernetes has it.
  public let identity: String?

  public init(_ token: String, identity: String? = nil) {
    self.token = token
    self.identity = identity
  }

  public init(_ number: Int64) {
    self.init(String(number))
  }

  public var description: String { token }
}
