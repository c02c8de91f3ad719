import CalicoModel
import Datastore
import JSON

// Where the switches of address management are kept, and why in two places: see `ResourceClient`.

extension ResourceClient {
  /// Reads the switches that hold, as a resource.
  func loadConfiguration(_ name: String) async throws(ResourceError) -> StoredResource? {
    guard name == "default" else { return nil }
    let key = Key.resource(.ipamConfiguration, name)
    let isTwofold = configurationPlaces == .keyAndResource
    let found = try await entries(isTwofold ? [.configuration, key] : [.configuration])
    guard let stored = found[0] else { return nil }
    let configuration: IPAMConfiguration
    do {
      configuration = try stored.configuration()
    } catch {
      let value = String(decoding: stored.bytes, as: UTF8.self)
      throw ResourceError(
        .unreadable(.configuration),
        "failed to parse datastore entry key=\(KeyPath.path(of: .configuration)); value=\(value): \(error)")
    }
    var resource = Resource(.ipamConfiguration, name: name, specification: [:])
    if isTwofold, let beside = found[1] {
      resource = try Resource(stored: beside, kind: .ipamConfiguration, name: name)
    }
    resource.take(configuration)
    resource.resourceVersion = stored.revision.token
    return StoredResource(
      resource: resource, revision: stored.revision, configuration: configuration,
      resourceRevision: isTwofold ? found[1]?.revision : nil)
  }

  /// The changes that write an IPAMConfiguration.
  ///
  /// - Parameters:
  ///   - resource: what is to be written, complete.
  ///   - old: what is stored; nil to create.
  /// - Returns: the change of what address management reads, and that of the resource beside it.
  /// - Throws: `ResourceError` of code `datastore`.
  func configurationChanges(_ resource: Resource, replacing old: StoredResource?) async throws(ResourceError)
    -> [Change]
  {
    var configuration = old?.configuration ?? IPAMConfiguration()
    configuration.take(resource.specification)
    let base = old.map { Base.revision($0.revision) } ?? .absent
    let change = Change(.configuration, base: base, final: .value(.configuration(configuration)))
    guard configurationPlaces == .keyAndResource else { return [change] }
    var besideRevision = old?.resourceRevision
    // A resource that calicoctl wrote without effect is taken over when the switches are created.
    if old == nil { besideRevision = try await entries([resource.key])[0]?.revision }
    let beside = Change(
      resource.key, base: besideRevision.map { .revision($0) } ?? .absent, final: .value(.resource(resource.encoded())))
    return [change, beside]
  }
}

extension Resource {
  /// Says what the switches are; members that the switches do not have stay.
  fileprivate mutating func take(_ configuration: IPAMConfiguration) {
    var members = specification
    let known = ["strictAffinity", "autoAllocateBlocks", "maxBlocksPerHost", "kubeVirtVMAddressPersistence"]
    for key in known + ["ipCooldownSeconds"] { members[key] = nil }
    members.members = configuration.specification.members + members.members
    specification = members
  }
}
