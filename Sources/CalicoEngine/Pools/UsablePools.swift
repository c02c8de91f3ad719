public import CalicoModel
import Datastore

/// Finds out whether a request would find pools, without looking for addresses.
public struct UsablePools: Operation {
  private let requests: [PoolRequest]

  public init(_ requests: [PoolRequest]) {
    self.requests = requests
  }

  /// Plans; the result is the pools of each request.
  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<[[IPPool]]> {
    try planner.require(
      [.entry(.configuration), .list(Planner.allReservations)] + requests.flatMap { Planner.readsForPools($0) })
    _ = try planner.configuration()
    _ = try planner.reservedAddresses()
    var pools: [[IPPool]] = []
    for request in requests { pools.append(try planner.choosePools(request).usable) }
    return .done(pools)
  }

  public mutating func settle(_ settlement: Settlement) {}
}
