import CNI
import Datastore
import FileSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension CalicoBackend {
  /// Makes old entries of this node such as lists find them, once in each boot of the host (front-end specification,
  /// section 1.6, requested-address path).
  ///
  /// - Throws: ``CalicoFailure`` when that, or the marker that it was done, fails.
  func upgradeHost(_ deadline: Deadline) async throws {
    guard let upgrade = surroundings.upgradeHost else { return }
    let marker = surroundings.upgradeMarker
    guard access(marker, F_OK) != 0 else { return }
    let purpose = "failed to upgrade IPAM database: "
    do {
      try await upgrade(nodeName, deadline)
    } catch let error as DatastoreError {
      throw CalicoFailure(error).prefixed(purpose + purpose)
    }
    do throws(SystemError) {
      var parent = ""
      for part in marker.split(separator: "/").dropLast() {
        parent += "/" + part
        mkdir(parent, 0o755)
      }
      _ = try File.open(marker, O_WRONLY | O_CREAT, mode: 0o644)
    } catch {
      throw CalicoFailure(
        "\(purpose)failed to create IPAM upgrade marker file \(marker): \(systemReason(error.number))",
        details: "the directory of \(marker) has to be writable; nothing was assigned")
    }
  }
}
