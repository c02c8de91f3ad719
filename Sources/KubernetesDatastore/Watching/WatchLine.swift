/// One line of a watch.
enum WatchLine {
  /// An object is as it is now.
  case present(KubernetesObject)
  /// An object is gone; it was this.
  case deleted(KubernetesObject)
  /// Everything up to a version was told.
  case bookmark(String)
  case error(ServerStatus)

  /// Reads a line such as `{"type":"ADDED","object":{…}}`.
  ///
  /// - Throws: ``ObjectError`` when it is no such line.
  init(_ line: [UInt8]) throws(ObjectError) {
    let members = try JSONMembers(line[...])
    let type = try members.string("type") ?? ""
    guard let object = members["object"] else { throw ObjectError(field: "object", reason: "it is missing") }
    switch type {
    case "ADDED", "MODIFIED": self = .present(try KubernetesObject(object))
    case "DELETED": self = .deleted(try KubernetesObject(object))
    case "BOOKMARK": self = .bookmark(try KubernetesObject(object).metadata.resourceVersion)
    case "ERROR": self = .error(ServerStatus(500, Array(object)))
    default: throw ObjectError(field: "type", reason: "\"\(type)\" is no type of an event")
    }
  }
}
