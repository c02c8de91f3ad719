public import IPAddressing
import Testing

/// How a store commits plans.
enum Mode: String, CaseIterable, Sendable, CustomTestStringConvertible {
  /// All or nothing, as etcd and SQLite do.
  case atomic
  /// Write by write, as Kubernetes does.
  case staged

  var testDescription: String { rawValue }
}

/// Every behaviour holds in both.
let modes = Mode.allCases

extension CIDR: ExpressibleByStringLiteral {
  /// A network whose text is known to be one.
  public init(stringLiteral text: String) {
    guard let cidr = CIDR(text as String) else { preconditionFailure("\(text) is no CIDR") }
    self = cidr
  }
}

extension IPAddress: ExpressibleByStringLiteral {
  /// An address whose text is known to be one.
  public init(stringLiteral text: String) {
    guard let address = IPAddress(text as String) else { preconditionFailure("\(text) is no address") }
    self = address
  }
}

/// The addresses `prefix` + n for each number.
func addresses(_ prefix: String, _ numbers: some Sequence<Int>) -> [IPAddress] {
  numbers.compactMap { IPAddress(prefix + String($0)) }
}
