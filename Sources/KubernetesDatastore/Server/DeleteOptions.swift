/// The body of a deletion: what must still be so for it to be made.
enum DeleteOptions {
  static func body(uid: String?, resourceVersion: String?) -> [UInt8] {
    var writer = JSONObjectWriter()
    writer.member("kind", string: "DeleteOptions")
    writer.member("apiVersion", string: "v1")
    if uid != nil || resourceVersion != nil {
      var preconditions = JSONObjectWriter()
      preconditions.member("uid", string: uid)
      preconditions.member("resourceVersion", string: resourceVersion)
      writer.member("preconditions", preconditions.finished()[...])
    }
    return writer.finished()
  }
}
