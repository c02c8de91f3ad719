import CalicoModel
import Datastore
import IPAddressing
import Routing

/// What a block says to routing (routes specification, section 1.3).
struct BlockClaim: Hashable, Sendable {
  /// Who the block is affine to; nil for nobody.
  var owner: BlockOwner?
  /// Which nodes its addresses are at; nil when at none, as in a block of load balancers.
  var claim: Claim?
  /// What in it cannot be routed; nil when all can.
  var fault: String?

  /// Whether addresses are used by other nodes than the one that the block is affine to.
  var hasBorrowedAddresses: Bool { (claim?.owners.count ?? 0) > 1 }

  /// What a block says of which nothing but its owner is known.
  init(_ cidr: CIDR, of owner: BlockOwner) {
    self.owner = owner
    take(Claims.block(cidr, host: Self.host(owner), allocations: []), isOwned: true)
  }

  /// Reads a stored block.
  ///
  /// It is nil for a block that is being deleted, which is gone.
  /// - Throws: `ModelError` when it is malformed.
  init?(_ stored: Stored, _ cidr: CIDR) throws(ModelError) {
    if let name = BlockGlance.soleNode(stored.bytes, cidr) {
      self.init(cidr, of: BlockOwner(.host, name))
      return
    }
    let block = try stored.block(cidr)
    if block.isDeleted { return nil }
    self.init(block)
  }

  init(_ block: IPAMBlock) {
    owner = block.owner
    let allocations = (0..<block.size).lazy.filter { block.isInUse($0) }.map { ordinal in
      Claims.Allocation(block.address(at: ordinal), node: block.attribute(at: ordinal)?.owner["node"])
    }
    let host = owner.flatMap { Self.host($0) }
    take(Claims.block(block.cidr, host: host, allocations: allocations), isOwned: host != nil)
  }

  /// The owner's name among nodes: that of a stand-in begins so that it is none.
  private static func host(_ owner: BlockOwner) -> String? {
    if owner.name.isEmpty { return nil }
    return owner.kind == .host ? owner.name : owner.description
  }

  /// Takes over what the rules make of the block.
  ///
  /// In a block of somebody's, what has no node recorded is where the block is: an address that Windows keeps for itself,
  /// or one that was assigned by hand.
  private mutating func take(_ reading: Claims.Reading, isOwned: Bool) {
    if reading.claim?.owners.isEmpty == false { claim = reading.claim }
    let warnings = reading.warnings.filter { warning in
      if case .noNode = warning { return !isOwned }
      return true
    }
    guard let first = warnings.first else { return }
    fault = first.description + (warnings.count > 1 ? "; and \(warnings.count - 1) more of this kind" : "")
  }
}
