import CalicoModel
import IPAddressing

/// The labels by which affinities are found (Calico IPAM specification, section 1.7).
enum AffinityLabels {
  static let type = "projectcalico.org/affinity-type"
  static let ownerHash = "projectcalico.org/hostname-hash"
  static let family = "projectcalico.org/ip-version"

  /// The labels of an affinity, in the order of their keys.
  static func of(_ owner: BlockOwner, _ cidr: CIDR) -> [Label] {
    [
      Label(type, owner.kind.rawValue), Label(ownerHash, hash(owner.name)),
      Label(family, String(cidr.address.family.rawValue)),
    ]
  }

  /// The hash of an owner's name: names are longer than the values of labels may be.
  static func hash(_ name: String) -> String { Base32.encode(SHA3.hash256(name.utf8)) }

  /// What affinities of an owner and a family, or of both families, have in common.
  static func selector(_ owner: BlockOwner, _ family: AddressFamily?) -> String {
    var terms = ["\(type)=\(owner.kind.rawValue)", "\(ownerHash)=\(hash(owner.name))"]
    if let family { terms.append("\(Self.family)=\(family.rawValue)") }
    return terms.joined(separator: ",")
  }

  /// What affinities have in common that were written before there were labels.
  static let unlabelled = "!" + type

  static func has(_ key: String) -> Bool { key == type || key == ownerHash || key == family }
}

/// A label or an annotation of an object.
struct Label: Hashable, Sendable {
  var key: String
  var value: String

  init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}
