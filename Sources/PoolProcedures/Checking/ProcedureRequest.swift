import CalicoModel
public import IPAddressing
import JSON

/// A procedure that somebody wants to begin.
public enum ProcedureRequest: Hashable, Sendable {
  /// From one pool to another, which is created with the range where it does not exist.
  case migration(from: String, to: String, cidr: CIDR?, blockSize: Int?)
  /// To blocks of another size, with a temporary pool in the meantime.
  case resizing(String, blockSize: Int, temporaryName: String?, temporaryCIDR: CIDR)

  /// The name or range of the source.
  public var source: String {
    switch self {
    case .migration(let source, _, _, _), .resizing(let source, _, _, _): source
    }
  }
}

/// A procedure that may begin.
public struct ProcedureProposal: Sendable {
  /// What would be recorded.
  public let procedure: PoolProcedure
  /// The steps, bookkeeping included.
  public let steps: [ProcedureStep]
  /// The stand-in as it would be created, or as it is.
  public let standIn: StoredPool?
  /// The document of the stand-in where it is to be created.
  let newStandIn: Resource?
  /// What is in use in the source now.
  public let holdings: PoolHoldings
  /// What a person should know before saying yes.
  public let notes: [String]

  /// The range and size of blocks of the stand-in.
  public var standInRange: (cidr: String, blockSize: Int) {
    if let newStandIn {
      let size = newStandIn.specification["blockSize"]?.numberValue?.int64 ?? 0
      return (newStandIn.specification["cidr"]?.stringValue ?? "", Int(size))
    }
    return (standIn?.pool.writtenCIDR ?? "", standIn?.pool.blockSize ?? 0)
  }
}
