public import Routing
import Synchronization

/// What a source of routes tells at the beginning: for commands that look once.
public struct FirstLook: Sendable {
  /// Why nothing could be learned.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public let topology: Topology
  /// What was left out, and why.
  public let faults: [String: String]

  /// What was left out, a line each.
  public var problems: [String] {
    faults.map { "\(Condition.Kind.malformed.rawValue) \($0.key): \($0.value)" }.sorted()
  }

  /// Asks a source for everything, once.
  ///
  /// - Parameter source: the source.
  /// - Returns: what it told.
  /// - Throws: ``Failure`` when it cannot be read.
  public static func of(_ source: any RouteSource) async throws(Failure) -> FirstLook {
    let result = Mutex<(topology: Topology?, faults: [String: String], failure: String?)>((nil, [:], nil))
    await source.run { event in
      result.withLock { result in
        switch event {
        case .snapshot(let topology): result.topology = topology
        case .interrupted(let reason): result.failure = reason
        case .fault(let object, let reason): result.faults[object] = reason
        case .changes: break
        }
        return result.topology == nil && result.failure == nil
      }
    }
    let found = result.withLock { $0 }
    guard let topology = found.topology else {
      throw Failure(description: found.failure ?? "the source of routes told nothing")
    }
    return FirstLook(topology: topology, faults: found.faults)
  }
}
