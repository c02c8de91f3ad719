/// Where the API server has an object, and how much of it is asked for.
struct ObjectPath: Hashable, Sendable {
  /// The plural that names the kind, as in the server's messages.
  let resource: String
  let name: String
  /// Nil when the object could not be there: its name is no name.
  let text: String?
  let accepts: String

  private init(_ root: String, _ resource: String, _ name: String, namespace: String? = nil, whole: Bool = false) {
    self.resource = resource
    self.name = name
    accepts = whole ? "application/json" : Self.metadataOnly
    let folder = namespace.map { Self.segment($0) } ?? ""
    if let folder, let last = Self.segment(name) {
      text = root + (namespace == nil ? "" : "/namespaces/\(folder)") + "/\(resource)/\(last)"
    } else {
      text = nil
    }
  }

  static func node(_ name: String) -> ObjectPath { ObjectPath("/api/v1", "nodes", name, whole: true) }

  static func namespace(_ name: String) -> ObjectPath { ObjectPath("/api/v1", "namespaces", name) }

  static func pod(_ name: String, namespace: String) -> ObjectPath {
    ObjectPath("/api/v1", "pods", name, namespace: namespace)
  }

  static func wholePod(_ name: String, namespace: String) -> ObjectPath {
    ObjectPath("/api/v1", "pods", name, namespace: namespace, whole: true)
  }

  /// The configuration of Calico's controllers, in one of the groups that it may be of.
  static func controllers(_ root: String) -> ObjectPath {
    ObjectPath(root, "kubecontrollersconfigurations", "default", whole: true)
  }

  /// A page of a collection.
  ///
  /// - Parameters:
  ///   - path: the collection's path.
  ///   - resource: the plural that names the kind.
  ///   - limit: how many objects at most.
  ///   - token: where an earlier page ended; empty to begin.
  /// - Returns: the path with its query.
  static func page(of path: String, _ resource: String, limit: Int, after token: String) -> ObjectPath {
    let following = token.isEmpty ? "" : "&continue=" + (segment(token) ?? "")
    return ObjectPath(resource: resource, text: "\(path)?limit=\(limit)\(following)")
  }

  private init(resource: String, text: String) {
    self.resource = resource
    name = "*"
    self.text = text
    accepts = "application/json"
  }

  static func virtualMachineInstance(_ name: String, namespace: String) -> ObjectPath {
    ObjectPath("/apis/kubevirt.io/v1", "virtualmachineinstances", name, namespace: namespace)
  }

  static func virtualMachine(_ name: String, namespace: String) -> ObjectPath {
    ObjectPath("/apis/kubevirt.io/v1", "virtualmachines", name, namespace: namespace)
  }

  /// A server that cannot leave the rest out sends the whole object.
  private static let metadataOnly =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

  /// A name as one segment of a path (RFC 3986, section 2); nil for what would lead elsewhere.
  private static func segment(_ name: String) -> String? {
    guard !name.isEmpty, name != ".", name != ".." else { return nil }
    let hexadecimal = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        text.append(byte)
      default: text += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 0xF)]]
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
