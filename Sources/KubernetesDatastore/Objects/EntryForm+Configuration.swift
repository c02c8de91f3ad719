import CalicoModel
import JSON

// The switches (Calico IPAM specification, section 1.9): etcd leaves out what is false, where a schema has defaults.

extension EntryForm {
  /// The names of the members here, and in etcd.
  private static let configurationMembers = [
    ("strictAffinity", "strict_affinity"), ("autoAllocateBlocks", "auto_allocate_blocks"),
    ("maxBlocksPerHost", "maxBlocksPerHost"), ("kubeVirtVMAddressPersistence", "kubeVirtVMAddressPersistence"),
    ("ipCooldownSeconds", "ipCooldownSeconds"),
  ]

  func configuration(_ object: KubernetesObject) throws(ObjectError) -> Content {
    let members = try JSONMembers(object.specification, at: "spec")
    var writer = JSONObjectWriter()
    for (name, name2) in Self.configurationMembers {
      guard let text = members[name], !text.elementsEqual("false".utf8), !text.elementsEqual("0".utf8) else { continue }
      writer.member(name2, text)
    }
    for other in members.others(Self.configurationMembers.map(\.0)) { writer.member(other.name, other.text) }
    return Content(key: .configuration, bytes: writer.finished())
  }

  /// The `spec` of the switches.
  func configurationSpecification(_ bytes: [UInt8]) throws(ObjectError) -> [UInt8] {
    let members = try JSONMembers(bytes[...])
    var writer = JSONObjectWriter()
    // Required in the first group, and in the other one absent ones would become their defaults.
    writer.member("strictAffinity", bool: try members.bool("strict_affinity") ?? false)
    writer.member("autoAllocateBlocks", bool: try members.bool("auto_allocate_blocks") ?? false)
    for (name, name2) in Self.configurationMembers.dropFirst(2) { writer.member(name, members[name2]) }
    for other in members.others(Self.configurationMembers.map(\.1)) { writer.member(other.name, other.text) }
    return writer.finished()
  }
}
