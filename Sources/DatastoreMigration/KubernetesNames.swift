import CalicoModel
import Datastore

/// The names of handles that Kubernetes can store (Calico IPAM specification, section 1.4).
enum KubernetesNames {
  /// Refuses handles that Kubernetes would refuse, or would take for one another, before anything is written.
  ///
  /// - Throws: ``MigrationError`` that names them.
  static func check(_ entries: [MigrationEntry]) throws(MigrationError) {
    var owners: [String: String] = [:]
    for entry in entries {
      guard case .handle(let handle) = entry.key else { continue }
      let name = handle.lowercased()
      if let other = owners.updateValue(handle, forKey: name) {
        throw MigrationError(
          .unsuitable,
          "handles '\(other)' and '\(handle)' differ in case alone, and are one in Kubernetes; release the addresses of one "
            + "of them first")
      }
      guard isSubdomain(name) else {
        throw MigrationError(
          .unsuitable,
          "handle '\(handle)' is no name that Kubernetes can store (letters, digits, '-' and '.', at most 253 bytes); "
            + "release its addresses first")
      }
    }
  }

  /// Whether a text is a DNS subdomain in lower case (RFC 1123).
  private static func isSubdomain(_ name: String) -> Bool {
    guard (1...253).contains(name.utf8.count) else { return false }
    return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.first, let last = label.last else { return false }
      return isAlphanumeric(first) && isAlphanumeric(last)
        && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
