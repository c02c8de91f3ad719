import CalicoModel
import JSON
import Testing

/// Documents as people write them.
enum Documents {
  static func resource(
    _ kind: String, _ name: String, _ specification: JSON, metadata: JSONObject = JSONObject()
  ) throws -> Resource {
    var metadata = metadata
    metadata["name"] = .string(name)
    return try Resource(
      manifest: [
        "apiVersion": "projectcalico.org/v3", "kind": .string(kind), "metadata": .object(metadata),
        "spec": specification,
      ])
  }

  static func pool(_ cidr: String = "10.0.0.0/16", name: String = "pool1", _ more: JSONObject = JSONObject()) throws
    -> Resource
  {
    var specification = more
    specification["cidr"] = .string(cidr)
    return try resource("IPPool", name, .object(specification))
  }

  static func other(_ cidr: String, name: String) throws -> IPPool {
    let document: JSON = ["spec": ["cidr": .string(cidr), "disabled": true]]
    return try IPPool(decoding: document.encoded(), name: name)
  }

  /// The description of the error that something ends with.
  static func failure(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return "\(error)"
    }
  }
}

extension Resource {
  var text: String { String(decoding: encoded(), as: UTF8.self) }
}
