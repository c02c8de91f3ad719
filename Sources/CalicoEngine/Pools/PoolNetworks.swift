import CalicoModel
import Datastore
public import IPAddressing

/// Finds the networks of pools that are given by name or by network (front-end specification, section 1.7).
public struct PoolNetworks: Operation {
  private let texts: [String]
  private let family: AddressFamily

  /// The operation.
  ///
  /// - Parameters:
  ///   - texts: names of pools and networks; the order is kept.
  ///   - family: the family that all of them must have.
  public init(_ texts: [String], _ family: AddressFamily) {
    self.texts = texts
    self.family = family
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<[CIDR]> {
    var networks: [CIDR] = []
    for text in texts {
      let network: CIDR
      if let written = CIDR(text) {
        network = written.canonical
      } else {
        network = try self.network(ofPool: text, &planner)
      }
      guard network.address.family == family else {
        throw .failed(
          EngineError(
            .invalidRequest, "\"\(network.address)\" isn't a IPv\(family.rawValue) address",
            advice: "\(text) is in the list of IPv\(family.rawValue) pools"))
      }
      networks.append(network)
    }
    return .done(networks)
  }

  private func network(ofPool name: String, _ planner: inout Planner) throws(Halt) -> CIDR {
    let pools = try planner.pools()
    guard let pool = pools.first(where: { $0.name == name }) else {
      let names = pools.filter { $0.family == family }.map(\.name).joined(separator: ", ")
      throw .failed(
        EngineError(
          .invalidRequest, "error parsing pool \"\(name)\": invalid CIDR address: \(name)",
          advice: "IPv\(family.rawValue) pools: \(names.isEmpty ? "none" : names)"))
    }
    guard let cidr = pool.cidr else {
      throw .failed(
        EngineError(.unreadable, "failed to parse IP pool cidr: invalid CIDR address: \(pool.writtenCIDR)"))
    }
    return cidr
  }

  public mutating func settle(_ settlement: Settlement) {}
}
