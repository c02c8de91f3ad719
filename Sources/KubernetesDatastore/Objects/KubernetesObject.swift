import Datastore

/// An object as the server tells it: its metadata, and the rest unread.
struct KubernetesObject {
  var metadata: ObjectMetadata
  /// Nil when it has none.
  var specification: ArraySlice<UInt8>?
  var status: ArraySlice<UInt8>?

  /// Reads an object.
  ///
  /// - Parameter text: its text, anywhere in a document.
  /// - Throws: ``ObjectError`` when it is no object, or its metadata are of another form than Kubernetes' own.
  init(_ text: ArraySlice<UInt8>) throws(ObjectError) {
    let members = try JSONMembers(text)
    metadata = try ObjectMetadata(try members.object("metadata"))
    specification = members["spec"]
    status = members["status"]
  }

  /// What a later write compares with.
  var revision: Revision {
    Revision(metadata.resourceVersion, identity: metadata.uid.isEmpty ? nil : metadata.uid)
  }
}

/// What Kubernetes keeps of every object.
struct ObjectMetadata {
  var name = ""
  var uid = ""
  var resourceVersion = ""
  var creationTimestamp: String?
  var deletionTimestamp: String?
  var labels: [Label] = []
  var annotations: [Label] = []
  /// Lists, unread.
  var finalizers: ArraySlice<UInt8>?
  var ownerReferences: ArraySlice<UInt8>?

  init(_ members: JSONMembers) throws(ObjectError) {
    name = try members.string("name") ?? ""
    uid = try members.string("uid") ?? ""
    resourceVersion = try members.string("resourceVersion") ?? ""
    creationTimestamp = try members.string("creationTimestamp")
    deletionTimestamp = try members.string("deletionTimestamp")
    labels = try members.labels("labels")
    annotations = try members.labels("annotations")
    finalizers = members["finalizers"]
    ownerReferences = members["ownerReferences"]
  }

  /// The annotation in which the first group keeps metadata a second time (section 1.3.5).
  static let copyKey = "projectcalico.org/metadata"

  /// The text of that annotation; nil when there is none.
  var copy: String? { annotations.first { $0.key == Self.copyKey }?.value }
}
