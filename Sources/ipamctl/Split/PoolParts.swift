import CalicoModel
import IPAddressing
import JSON

/// The pools that a pool is split into (calicoctl specification, section 3.5).
struct PoolParts {
  /// Why a pool cannot be split so.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The controller that keeps a deleted pool until its blocks are gone, which those of a split pool never are.
  private static let finalizer = "projectcalico.org/ippool-finalizer"
  /// How many bytes of the old name are in the new ones.
  private static let longestOldName = 245
  /// The most parts: each is a pool, which every assignment looks at.
  private static let mostParts = 65_536

  /// The new pools, in the order of their addresses.
  let pools: [Resource]

  /// Divides a pool, and changes nothing yet.
  ///
  /// - Parameters:
  ///   - pool: the pool.
  ///   - number: how many parts it is to have.
  /// - Throws: ``Refusal`` when it cannot be divided so.
  init(of pool: Resource, number: Int) throws(Refusal) {
    let written = pool.specification["cidr"]?.stringValue ?? ""
    let prefix = "error splitting the CIDR \(written) into \(number) CIDRs: "
    guard let cidr = CIDR(written)?.canonical else { throw Refusal(description: prefix + "it is no network") }
    // calicoctl takes 0 for a power of two, and deletes the pool.
    guard number >= 2, number & (number - 1) == 0 else {
      throw Refusal(description: prefix + "number to split CIDR into is not a valid power of 2: \(number)")
    }
    let length = cidr.prefixLength + number.trailingZeroBitCount
    let shortage = prefix + "the CIDR \(written) is not large enough to be split into \(number) parts"
    guard length <= cidr.address.family.bitWidth else { throw Refusal(description: shortage) }
    // calicoctl makes pools that hold no block, and nobody can use.
    let size = pool.withReadDefaults.specification["blockSize"]?.numberValue?.int64 ?? 0
    guard length <= size else {
      throw Refusal(description: shortage + ": a part would be a /\(length), and blocks are /\(size)")
    }
    guard number <= Self.mostParts else {
      throw Refusal(description: prefix + "at most \(Self.mostParts) parts are made")
    }
    let name = String(decoding: pool.name.utf8.prefix(Self.longestOldName), as: UTF8.self)
    let step = UInt128(1) << UInt128(cidr.address.family.bitWidth - length)
    pools = (0..<number).compactMap { index in
      guard let address = cidr.address.advanced(by: step * UInt128(index)),
        let part = CIDR(address, prefixLength: length)
      else { return nil }
      return Self.part(of: pool, "split-\(name)-\(index)", part)
    }
  }

  /// A part: what the pool is, but for its addresses, and in use.
  private static func part(of pool: Resource, _ name: String, _ cidr: CIDR) -> Resource {
    var specification = pool.specification
    specification["cidr"] = .string(cidr.description)
    specification["disabled"] = nil
    var part = Resource(.ipPool, name: name, specification: specification)
    for key in ["labels", "annotations"] {
      if let value = pool.metadata[key] { part.metadata[key] = value }
    }
    return part
  }

  /// The pool as it is while its parts are made: not in use, and kept by no controller.
  static func retired(_ pool: Resource) -> Resource {
    var retired = pool
    retired.specification["disabled"] = true
    if let finalizers = pool.metadata["finalizers"]?.arrayValue {
      let others = finalizers.filter { $0.stringValue != finalizer }
      retired.metadata["finalizers"] = others.isEmpty ? nil : .array(others)
    }
    return retired
  }
}
