import CalicoModel
import Datastore
import IPAddressing

/// An entry that was read from an object.
struct DecodedEntry {
  var key: Key
  /// The JSON that etcd keeps.
  var bytes: [UInt8]
  /// Whether the object is half deleted: to everybody it is gone.
  var isDeleted: Bool
  var revision: Revision
  /// What others have written into its metadata.
  var foreign: ForeignMetadata

  var stored: Stored { Stored(bytes: bytes, revision: revision) }
}

/// Why an object holds no entry.
struct ObjectError: Error {
  /// Such as `spec.cidr`; empty for the object as a whole.
  var field: String
  var reason: String
}

/// Both forms of entries: that of etcd, in which they are read and written here, and that of objects.
struct EntryForm: Hashable, Sendable {
  let group: APIGroup
  /// Whether addresses of nodes are made from their ranges of pod addresses.
  var usesPodCIDR = false

  /// Reads an object.
  ///
  /// - Parameters:
  ///   - object: the object.
  ///   - kind: what it is.
  /// - Returns: the entry; nil for an object that is no entry of this version, such as an affinity of an unknown type.
  /// - Throws: ``ObjectError`` when it is malformed.
  func decode(_ object: KubernetesObject, _ kind: ObjectKind) throws(ObjectError) -> DecodedEntry? {
    let content: Content?
    switch kind {
    case .block: content = try block(object.specification)
    case .affinity: content = try affinity(object.specification)
    case .handle: content = try handle(object.specification)
    case .configuration: content = try configuration(object)
    case .resource(.node): content = try node(object)
    case .resource(let kind): content = try resource(object, kind)
    }
    guard let content else { return nil }
    return DecodedEntry(
      key: content.key, bytes: content.bytes, isDeleted: content.isDeleted, revision: object.revision,
      foreign: ForeignMetadata(object.metadata, isAffinity: kind == .affinity))
  }

  /// What an object is about.
  struct Content {
    var key: Key
    var bytes: [UInt8]
    var isDeleted = false
  }

  /// Reads the network that a specification names.
  func network(_ members: JSONMembers) throws(ObjectError) -> CIDR {
    let text = try members.string("cidr") ?? ""
    guard let cidr = CIDR(text), !cidr.hasHostBits else {
      throw ObjectError(field: members.path("cidr"), reason: "\"\(text)\" is no network")
    }
    return cidr
  }
}
