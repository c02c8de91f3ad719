import CalicoModel
import Datastore
import JSON
import Testing

@testable import KubernetesDatastore

extension JSONObject {
  /// The entry in an object, in the form of etcd; nil when it is half deleted.
  var entry: (path: String, text: String)? {
    get throws {
      let kinds: [String: ObjectKind] = [
        "IPAMBlock": .block, "BlockAffinity": .affinity, "IPAMHandle": .handle, "IPAMConfig": .configuration,
        "IPPool": .resource(.ipPool), "IPReservation": .resource(.ipReservation),
        "ClusterInformation": .resource(.clusterInformation), "Tier": .resource(.tier),
      ]
      let kind = try #require(kinds[try text("kind")])
      let object = try KubernetesObject(JSON.object(self).encoded()[...])
      guard let entry = try EntryForm(group: .v1).decode(object, kind), !entry.isDeleted else { return nil }
      return (KeyPath.path(of: entry.key), Self.unescaped(String(decoding: entry.bytes, as: UTF8.self)))
    }
  }

  /// What a PUT or POST is given to store this object: the server fills in the rest.
  var storable: JSONObject {
    var object = self
    var metadata = self["metadata"]?.objectValue ?? JSONObject()
    for key in ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"] { metadata[key] = nil }
    object["metadata"] = .object(metadata)
    return object
  }

  /// The recordings' marks, as they stand in their files.
  static func unescaped(_ text: String) -> String {
    ["TIME", "UID", "GUID", "REV"].reduce(text) { $0.replacing("\\u003c\($1)\\u003e", with: "<\($1)>") }
  }
}

extension RecordedObjects {
  /// All of it in the form of etcd.
  var entries: RecordedState {
    get throws {
      var state: RecordedState = [:]
      for object in values {
        guard let entry = try object.entry else { continue }
        state[entry.path] = entry.text
      }
      return state
    }
  }
}
