public import CalicoBackend
import CalicoModel
public import Datastore
import JSON

/// The lock of a datastore: ClusterInformation that says it is not ready (Calico IPAM specification, section 4.6).
///
/// Calico's main plugin gives no pod a network while it holds, and nobody collects. It is a sign and no more: `ipamctl` and
/// `calicoctl` write all the same.
public struct MigrationLock: Sendable {
  static let key = Key.resource(.clusterInformation, "default")
  /// How often a write is attempted while others write the same entry.
  private static let attempts = 8

  private let store: any Datastore
  private let client: ResourceClient

  /// The lock of a datastore.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - surroundings: time and chance, for what is created.
  public init(_ store: any Datastore, surroundings: ResourceSurroundings) {
    self.store = store
    client = ResourceClient(datastore: store, surroundings: surroundings)
  }

  /// Whether the datastore says that it is not ready; one that says nothing is not locked.
  ///
  /// - Throws: ``MigrationError``.
  public func isHeld() async throws(MigrationError) -> Bool {
    do {
      guard let stored = try await MigrationReading(store).entry(Self.key) else { return false }
      return try Self.information(stored).specification["datastoreReady"]?.boolValue == false
    } catch {
      throw MigrationError(
        .datastore,
        "error while checking if datastore was locked: error retrieving ClusterInformation: \(error)")
    }
  }

  /// Locks.
  ///
  /// - Throws: ``MigrationError``.
  public func lock() async throws(MigrationError) { try await set(isReady: false, "locking") }

  /// Unlocks.
  ///
  /// - Throws: ``MigrationError``.
  public func unlock() async throws(MigrationError) { try await set(isReady: true, "unlocking") }

  private func set(isReady: Bool, _ action: String) async throws(MigrationError) {
    try await initialize()
    try await update(action) { $0["datastoreReady"] = .bool(isReady) }
  }

  /// Sees to it that there is a ClusterInformation.
  ///
  /// The three tiers that go with it are of no use to address management, and their kind may be missing.
  func initialize() async throws(MigrationError) {
    do throws(ResourceError) {
      try await client.initialize()
    } catch {
      let found: Stored?
      do { found = try await MigrationReading(store).entry(Self.key) } catch { found = nil }
      guard found == nil else { return }
      throw MigrationError(
        .datastore, "unable to initialize cluster information for the datastore migration: \(error)")
    }
  }

  /// Changes what ClusterInformation says; does nothing when it says so already.
  func update(_ action: String, _ change: (inout JSONObject) -> Void) async throws(MigrationError) {
    for _ in 0..<Self.attempts {
      let stored: Stored
      var information: Resource
      do {
        guard let found = try await MigrationReading(store).entry(Self.key) else {
          throw ResourceError.doesNotExist(Self.key)
        }
        stored = found
        information = try Self.information(found)
      } catch {
        throw MigrationError(.datastore, "error retrieving ClusterInformation for \(action): \(error)")
      }
      let before = information.encoded()
      var specification = information.specification
      change(&specification)
      information.specification = specification
      let text = information.encoded()
      if text == before { return }
      let write = Change(Self.key, base: .revision(stored.revision), final: .value(.resource(text)))
      do {
        let plan = Plan([write], durability: .disk)
        // What became of a write whose answer was lost is seen at the next attempt.
        if case .applied = try await store.commit(plan, deadline: MigrationReading.deadline) { return }
      } catch {
        throw MigrationError(
          .datastore, "error updating ClusterInformation for \(action): \(MigrationReading.text(error))")
      }
    }
    throw MigrationError(
      .datastore,
      "error updating ClusterInformation for \(action): \(ResourceError.updateConflict(Self.key)); try again")
  }

  private static func information(_ stored: Stored) throws(ResourceError) -> Resource {
    try Resource(stored: stored.bytes, kind: .clusterInformation, name: "default", version: stored.revision.token)
  }
}
