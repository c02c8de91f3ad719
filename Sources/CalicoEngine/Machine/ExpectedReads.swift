import CalicoModel
public import Datastore
public import IPAddressing

/// What calls are known to read before they have read anything, so that a caller who pays for each round trip can send
/// it all at once. A hint: what an operation needs besides it asks for.
public enum ExpectedReads {
  /// What an assignment of addresses that are to be chosen reads.
  ///
  /// - Parameters:
  ///   - host: the node's name.
  ///   - families: the families that are wanted.
  ///   - rooms: the blocks in which earlier operations found room.
  ///   - handleID: the handle that is to own the addresses.
  /// - Returns: the reads.
  public static func assignment(
    on host: String, families: [AddressFamily], rooms: [CIDR], handleID: String
  ) -> [Read] {
    let owner = BlockOwner(.host, host)
    return [
      .entry(.configuration), .list(Planner.allReservations), .entry(.resource(.node, host)),
      .list(Planner.allPools),
    ] + families.map { .list(FamilyAssignment.ownAffinities(owner, $0)) } + rooms.map { .entry(.block($0)) }
      + [.entry(.handle(handleID))]
  }

  /// What an assignment of addresses that the caller names reads.
  ///
  /// - Parameters:
  ///   - addresses: the addresses.
  ///   - host: the node's name.
  ///   - rooms: blocks of earlier operations, which tell how large blocks are; without one the default is taken.
  ///   - handleID: the handle that is to own the addresses.
  /// - Returns: the reads.
  public static func assignment(
    of addresses: [IPAddress], on host: String, rooms: [CIDR], handleID: String
  ) -> [Read] {
    let owner = BlockOwner(.host, host)
    var reads: [Read] = [.entry(.configuration), .list(Planner.allPools), .entry(.handle(handleID))]
    for address in addresses {
      let usual = address.family == .v4 ? 26 : 122
      let length = rooms.first { $0.address.family == address.family }?.prefixLength ?? usual
      guard let block = CIDR(address, prefixLength: length)?.canonical else { continue }
      reads += [.entry(.block(block)), .entry(.affinity(owner, block))]
    }
    return reads
  }

  /// What a release by handles reads.
  ///
  /// - Parameters:
  ///   - handleIDs: the handles.
  ///   - rooms: the blocks in which earlier operations of the node found room, and perhaps these addresses.
  /// - Returns: the reads.
  public static func release(of handleIDs: [String], rooms: [CIDR]) -> [Read] {
    [.entry(.configuration)] + handleIDs.map { .entry(.handle($0)) } + rooms.map { .entry(.block($0)) }
  }
}
