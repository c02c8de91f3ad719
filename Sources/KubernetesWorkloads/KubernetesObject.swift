import CalicoBackend
import JSON

/// The metadata of an object, and the rest of it as it came.
struct KubernetesObject: Sendable {
  let document: JSONObject
  let name: String
  let uid: String
  let labels: [String: String]
  let annotations: [String: String]
  let owners: [OwnerReference]
  /// Whether it has a deletion timestamp.
  let isBeingDeleted: Bool

  /// Reads an answer.
  ///
  /// - Parameters:
  ///   - body: the answer.
  ///   - path: what was asked for.
  /// - Throws: ``CalicoFailure`` when the answer is no object with metadata.
  init(_ body: [UInt8], _ path: ObjectPath) throws(CalicoFailure) {
    let what = "the answer of the API server about \(path.resource) \"\(path.name)\""
    let value: JSON
    do throws(JSONError) {
      value = try JSON(parsing: body)
    } catch {
      throw CalicoFailure("\(what) is not JSON: \(error)", details: "check that the address is that of an API server")
    }
    guard let document = value.objectValue, let metadata = document["metadata"]?.objectValue else {
      throw CalicoFailure(
        "\(what) has no metadata", details: "check that the address is that of an API server")
    }
    self.document = document
    name = metadata["name"]?.stringValue ?? ""
    uid = metadata["uid"]?.stringValue ?? ""
    labels = Self.texts(metadata["labels"])
    annotations = Self.texts(metadata["annotations"])
    owners = (metadata["ownerReferences"]?.arrayValue ?? []).compactMap { Self.owner($0) }
    let deletion = metadata["deletionTimestamp"]?.stringValue ?? ""
    isBeingDeleted = !deletion.isEmpty
  }

  /// The members that are texts.
  static func texts(_ value: JSON?) -> [String: String] {
    var texts: [String: String] = [:]
    for member in value?.objectValue?.members ?? [] {
      if let text = member.value.stringValue { texts[member.key] = text }
    }
    return texts
  }

  private static func owner(_ value: JSON) -> OwnerReference? {
    guard let reference = value.objectValue else { return nil }
    func text(_ member: String) -> String { reference[member]?.stringValue ?? "" }
    return OwnerReference(
      apiVersion: text("apiVersion"), kind: text("kind"), name: text("name"), uid: text("uid"),
      isController: reference["controller"]?.boolValue ?? false)
  }
}
