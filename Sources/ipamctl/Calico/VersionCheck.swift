import CNI
import CalicoModel
import Datastore
import DatastoreSettings
import JSON

/// The first look at a datastore that others share: whether it answers, and whether it is one that this program knows
/// (calicoctl specification, section 3.1).
///
/// calicoctl demands exactly the version that it is of itself. This program has versions of its own; what has to fit is the
/// form of the data, which is one for all of Calico v3.
struct VersionCheck {
  /// The major version of Calico whose data this program reads and writes.
  private static let majorVersion = "3"
  /// Whether a server can be reached is known within this time, in milliseconds.
  private static let patience: UInt64 = 5000

  /// Why the command does not go on.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  private let session: Session

  init(_ session: Session) {
    self.session = session
  }

  /// Looks, at a server; the embedded datastore belongs to this program.
  ///
  /// - Parameter isEnforced: whether the version counts; that there is an answer always does.
  /// - Throws: ``Refusal``, or `DatastoreError` when there is no answer.
  func perform(isEnforced: Bool) async throws {
    guard session.store.engine != .sqlite else { return }
    let information: Resource?
    do {
      let key = Key.resource(.clusterInformation, "default")
      let results = try await session.store.read([.entry(key)], deadline: .after(milliseconds: Self.patience))
      guard case .entry(let stored?)? = results.first else { return }
      information = try Resource(stored: stored.bytes, kind: .clusterInformation, name: "default")
    } catch let error as DatastoreError where error.code == .unavailable {
      throw error
    } catch {
      guard isEnforced else { return }
      throw Refusal(
        description: "unable to get Cluster Information to verify version mismatch: \(error.advised)\n"
          + "Use --allow-version-mismatch to override")
    }
    guard isEnforced, let version = information?.specification["calicoVersion"]?.stringValue else { return }
    if let text = Self.mismatch(version) { throw Refusal(description: text) }
  }

  /// What to say of a cluster's version; nil when it fits, or is none that could be compared.
  static func mismatch(_ version: String) -> String? {
    let stripped = String((version.hasPrefix("v") ? version.dropFirst() : version[...]).prefix { $0 != "-" })
    guard let major = stripped.split(separator: ".").first, major.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      major != majorVersion
    else { return nil }
    return """
      version mismatch.
      Client Version:   \(PackageVersion.current) (for Calico v\(majorVersion))
      Cluster Version:  \(stripped)
      Use --allow-version-mismatch to override
      """
  }
}
