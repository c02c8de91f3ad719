import HostLocal
import IPAM

/// One look at the host: everything that tells whether containers live, gathered once for all reservations.
struct HostLook {
  let namespaces: NamespaceSurvey
  let runtimes: RuntimeState
  private let cache: ResultCache
  private let roots: HostRoots

  /// Looks at the host, and also into the namespaces that `paths` lead to.
  init(_ roots: HostRoots, paths: [String] = []) {
    self.roots = roots
    cache = ResultCache(roots)
    runtimes = RuntimeState(roots)
    namespaces = NamespaceSurvey(roots, paths: cache.entries.compactMap(\.namespacePath) + paths)
  }

  /// Why the look is not complete, a line each.
  var obstacles: [String] { namespaces.obstacles + runtimes.obstacles + cache.obstacles }

  /// What is known of a reservation.
  func facts(of reservation: StoredReservation, in network: String) -> Facts {
    var facts = Facts()
    facts.isDamaged = reservation.containerID == nil
    facts.holder = namespaces.holders[reservation.address]
    facts.isFromEarlierBoot = reservation.isFromEarlierBoot
    facts.namespaceCount = namespaces.count
    facts.runtimePlaces = runtimes.places.count
    facts.isLookComplete = obstacles.isEmpty
    guard let bytes = reservation.containerID else { return facts }
    facts.namesContainer = Attachment.isValid(containerID: bytes)
    let containerID = String(decoding: bytes, as: UTF8.self)
    facts.runtimeDirectory = runtimes.containers[containerID]
    let interfaceName = reservation.interfaceName.map { String(decoding: $0, as: UTF8.self) }
    facts.cachedNamespaces = cache.entries.compactMap { entry in
      guard entry.network == network, entry.containerID == containerID,
        interfaceName == nil || entry.interfaceName == interfaceName, let path = entry.namespacePath
      else { return nil }
      return Facts.CachedNamespace(path: path, file: entry.file, isGone: isGone(path))
    }
    return facts
  }

  /// Whether there is certainly no network namespace at the path.
  private func isGone(_ path: String) -> Bool {
    do throws(HostFiles.Failure) {
      let file = try HostFiles.open(roots.path(path))
      return !NamespaceEntry.isNamespace(file)
    } catch {
      return error.isAbsence
    }
  }
}
