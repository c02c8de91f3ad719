import CalicoModel
import JSON

/// A resource that a person wrote, and where.
struct WrittenResource {
  let resource: Resource
  let document: ManifestDocument
  let place: DocumentPlace

  /// Such as `pools.yaml, line 12`. It is found by reading the document once more, so it is asked for when something is
  /// wrong.
  var location: String { document.location(of: place) }

  /// Where a value is that breaks a rule, and what was probably meant: `pools.yaml, line 14, IPPool(pods), spec.ipipMode:
  /// did you mean 'Always'?`. Without its line, that of the resource is told.
  func location(of field: InvalidField) -> String {
    let about = "\(resource.kind.rawValue)(\(resource.name))"
    guard let (object, key) = member(field) else { return "\(location), \(about)" }
    let line = document.location(of: place.member(object).member(key))
    let meant = field.value.flatMap { NearestName.of($0, among: Self.values[key] ?? []) }
    return "\(line), \(about), \(object).\(key)" + (meant.map { ": did you mean '\($0)'?" } ?? "")
  }

  /// What may be said where only some words are allowed.
  private static let values: [String: [String]] = [
    "ipipMode": ["Never", "Always", "CrossSubnet"], "vxlanMode": ["Never", "Always", "CrossSubnet"],
    "assignmentMode": ["Automatic", "Manual"], "kubeVirtVMAddressPersistence": ["Enabled", "Disabled"],
  ]

  /// The member that a field such as `IPPool.Spec.CIDR`, `Metadata.Name` or `ReservedCIDRs[0]` is.
  private func member(_ field: InvalidField) -> (object: String, key: String)? {
    var words = field.name.split(separator: ".").map(String.init)
    if words.first == resource.kind.rawValue { words.removeFirst() }
    guard let name = words.popLast()?.prefix(while: { $0 != "[" && $0 != " " }) else { return nil }
    let object = words.last?.lowercased() ?? "spec"
    let members = resource.document[object]?.objectValue?.members ?? []
    return members.first { $0.key.lowercased() == name.lowercased() }.map { (object, $0.key) }
  }
}
