public import CalicoModel
import Datastore
import IPAddressing
import JSON

extension ResourceClient {
  /// Deletes a resource.
  ///
  /// A pool is disabled first; then, after ``settlePause``, the affinities to its blocks are given up, and then it is
  /// deleted (Calico IPAM specification, section 4.1.4). Addresses that are in use stay in use. When this fails half way
  /// the pool is left disabled, and the next attempt goes on.
  ///
  /// A node's tunnel addresses and affinities are given up first (section 4.4); unlike the original this covers the
  /// tunnels over IPv6. Workload endpoints and the other resources that name the node are not known here, and stay.
  /// When it fails half way the node is left, and the next attempt goes on.
  ///
  /// - Parameters:
  ///   - kind: its kind.
  ///   - name: its name.
  ///   - resourceVersion: the version that it must have; nil for any.
  /// - Returns: the resource as it was.
  /// - Throws: `ResourceError`: `doesNotExist`, `updateConflict`, `unreadable`, `datastore` or `unconfirmed`; or what a
  ///   closure of the surroundings throws.
  @discardableResult
  public func delete(_ kind: ResourceKind, _ name: String, resourceVersion: String? = nil) async throws -> Resource {
    guard let stored = try await load(kind, name) else { throw ResourceError.doesNotExist(.resource(kind, name)) }
    if let resourceVersion, resourceVersion != stored.revision.token {
      throw ResourceError.updateConflict(.resource(kind, name))
    }
    switch kind {
    case .node where configurationPlaces == .keyAlone:
      // Nothing must be given up for a node that stays: Kubernetes deletes it, and its controllers clean up.
      throw ResourceError(
        .unsupported, "operation Delete is not supported on \(stored.resource.key): nodes are deleted by Kubernetes")
    case .ipPool:
      let isUnchanged = try await retire(stored)
      // Whoever disabled the pool has the say until it is gone; the version given was that of the first write.
      try await remove(stored, onlyIfUnchanged: resourceVersion != nil && isUnchanged)
    case .node:
      let tunnels = NodeAddresses.tunnels(stored.resource.specification)
      try await unlessUnsupported {
        if !tunnels.isEmpty { try await surroundings.releaseAddresses(tunnels) }
        try await surroundings.releaseHostAffinities(name)
      }
      try await remove(stored, onlyIfUnchanged: resourceVersion != nil)
    default: try await remove(stored, onlyIfUnchanged: resourceVersion != nil)
    }
    return stored.resource.withReadDefaults
  }

  /// Takes a pool out of use, and gives up its blocks' affinities.
  ///
  /// - Returns: whether the pool's entry is still as it was read, because it had been disabled before.
  private func retire(_ stored: StoredResource) async throws -> Bool {
    let isDisabled = stored.resource.specification["disabled"]?.boolValue == true
    if !isDisabled {
      // Not checked, unlike any other update: that a pool breaks a rule, of an older release perhaps, is no reason to
      // keep it.
      var disabled = stored.resource.withReadDefaults
      disabled.specification["disabled"] = true
      _ = try await put(disabled, over: stored)
    }
    try await surroundings.pause(Self.settlePause)
    // A pool whose range is none has no blocks.
    if let cidr = stored.resource.specification["cidr"]?.stringValue.flatMap({ CIDR($0) }) {
      try await unlessUnsupported { try await surroundings.releasePoolAffinities(cidr.canonical) }
    }
    return isDisabled
  }

  /// Does something that a store without blocks, where nodes have address ranges of their own, has no need of.
  private func unlessUnsupported(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as DatastoreError where error.code == .unsupported {
      return
    }
  }

  /// Deletes what is stored, whatever it is by now unless that is to be compared.
  private func remove(_ stored: StoredResource, onlyIfUnchanged: Bool) async throws(ResourceError) {
    let base: Base = onlyIfUnchanged ? .revision(stored.revision) : .any
    let key = stored.resource.key
    guard stored.resource.kind == .ipamConfiguration else {
      _ = try await commit([Change(key, base: base, final: .delete)])
      return
    }
    var changes = [Change(.configuration, base: base, final: .delete)]
    if let revision = stored.resourceRevision {
      changes.append(Change(key, base: onlyIfUnchanged ? .revision(revision) : .any, final: .delete))
    }
    _ = try await commit(changes)
  }
}
