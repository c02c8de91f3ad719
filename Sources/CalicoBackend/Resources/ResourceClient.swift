public import CalicoModel
public import Datastore

/// Reads and writes the resources that people write, as Calico's own client does (Calico IPAM specification, section 4;
/// calicoctl specification, section 4.3).
///
/// Every write compares with what was read, and is on disk when the call returns. A write that fails leaves the resource
/// as it was, but for the deletion of a pool or node, which takes several writes; each says what it leaves behind.
///
/// Errors are `ResourceError`, but for those of the closures in ``ResourceSurroundings``, which pass through.
///
/// **IPAMConfiguration.** In etcd, Calico's programs keep the switches of address management twice: under the key that
/// address management reads, and as a resource that nothing reads but `calicoctl get` and one test of the CNI plugin
/// (section 1.9). A person who writes an IPAMConfiguration wants it to hold. So the key that address management reads is
/// what counts here: it decides whether there is an IPAMConfiguration, what its `spec` is, and its resource version.
/// The resource is written along with it, in the same plan, for those who read that, and because only there is a place
/// for labels and annotations. What `calicoctl` writes to the resource alone is, as there, without effect; the next write
/// from here brings both in line.
public struct ResourceClient: Sendable {
  /// Where the switches of address management are.
  public enum ConfigurationPlaces: Hashable, Sendable {
    /// In two entries, as in etcd and SQLite.
    case keyAndResource
    /// In one object that both names stand for, as in Kubernetes.
    case keyAlone
  }

  let datastore: any Datastore
  let surroundings: ResourceSurroundings
  let configurationPlaces: ConfigurationPlaces
  let deadline: Deadline
  let initialization = Initialization()

  /// How often a write without a given version is attempted while others write the same resource, and the pause between
  /// attempts (calicoctl specification, section 4.3).
  public static let attempts = 5
  public static let conflictPause = Duration.seconds(1)
  /// How long a pool stays disabled before its affinities are released, so that assignments under way end (section
  /// 4.1.4).
  public static let settlePause = Duration.milliseconds(500)

  /// A client.
  ///
  /// - Parameters:
  ///   - datastore: where the resources are.
  ///   - surroundings: time, chance, and what is done to addresses.
  ///   - configurationPlaces: where the store keeps the switches of address management.
  ///   - deadline: when to give up reading and writing.
  public init(
    datastore: any Datastore, surroundings: ResourceSurroundings,
    configurationPlaces: ConfigurationPlaces = .keyAndResource, deadline: Deadline = .distantFuture
  ) {
    self.datastore = datastore
    self.surroundings = surroundings
    self.configurationPlaces = configurationPlaces
    self.deadline = deadline
  }

  /// Reads a resource.
  ///
  /// - Parameters:
  ///   - kind: its kind.
  ///   - name: its name.
  /// - Returns: the resource, with its resource version and, for a pool, the defaults of what it does not say.
  /// - Throws: `ResourceError`: `doesNotExist`, `unreadable` or `datastore`.
  public func get(_ kind: ResourceKind, _ name: String) async throws -> Resource {
    guard let stored = try await load(kind, name) else { throw ResourceError.doesNotExist(.resource(kind, name)) }
    return stored.resource.withReadDefaults
  }

  /// Reads all resources of a kind.
  ///
  /// - Parameter kind: the kind.
  /// - Returns: the resources in the order of their names, as ``get(_:_:)`` gives them, and what cannot be understood.
  /// - Throws: `ResourceError` of code `datastore`.
  public func list(_ kind: ResourceKind) async throws -> ResourceList {
    if kind == .ipamConfiguration {
      let only = try await load(kind, "default")
      return ResourceList(items: only.map { [$0.resource] } ?? [])
    }
    var list = ResourceList()
    for item in try await items(.resources(kind)) {
      guard case .resource(_, let name) = item.key, let stored = item.stored else { continue }
      do throws(ResourceError) {
        list.items.append(try Resource(stored: stored, kind: kind, name: name).withReadDefaults)
      } catch {
        list.unreadable.append(error)
      }
    }
    return list
  }
}

/// All resources of a kind.
public struct ResourceList: Hashable, Sendable {
  public var items: [Resource] = []
  /// Why entries are missing from the list, which the originals pass over in silence.
  public var unreadable: [ResourceError] = []
}

extension Resource {
  /// Reads an entry as a driver gave it.
  init(stored: Stored, kind: ResourceKind, name: String) throws(ResourceError) {
    try self.init(stored: stored.bytes, kind: kind, name: name, version: stored.revision.token)
  }
}
