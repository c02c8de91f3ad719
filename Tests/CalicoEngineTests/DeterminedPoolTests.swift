import CalicoModel
import Datastore
import IPAddressing
import Testing

@testable import CalicoEngine

/// Specification section 7.7, items 42 and 43: the choice of pools by itself.
@Suite("The choice of pools")
struct DeterminedPoolTests {
  /// Chooses pools and does nothing with them.
  private struct ChoosePools: Operation {
    let request: PoolRequest

    mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<[String]> {
      try planner.require(Planner.readsForPools(request))
      return .done(try planner.choosePools(request).usable.map(\.writtenCIDR))
    }

    mutating func settle(_ settlement: Settlement) {}
  }

  private func pools(
    _ calico: Cluster, _ family: AddressFamily = .v4, requested: [CIDR] = [], namespace: [String: String] = [:]
  ) async throws -> [String] {
    try await calico.run(
      ChoosePools(
        request: PoolRequest(
          family: family, requested: requested, use: .workload, owner: .host("host-a"), namespaceLabels: namespace)))
  }

  private func cluster(_ mode: Mode, nodes: [String] = ["", "", "", ""]) -> Cluster {
    let calico = Cluster(mode)
    calico.pool("10.0.0.1/24", name: "pool1", nodes: nodes[0])
    calico.pool("20.0.0.0/24", name: "pool2", nodes: nodes[1])
    calico.pool("fe80:0000:0000:0001:0000:0000:0000:0000/64", name: "pool3", nodes: nodes[2])
    calico.pool("fe80:0:0:2::/64", name: "pool4", nodes: nodes[3])
    calico.node("host-a", labels: ["foo": "bar"])
    return calico
  }

  private let full = "fe80:0000:0000:0001:0000:0000:0000:0000/64"

  @Test("42: all pools in the order of names, or those that are requested", arguments: modes)
  func requested(mode: Mode) async throws {
    let calico = cluster(mode)
    #expect(try await pools(calico) == ["10.0.0.1/24", "20.0.0.0/24"])
    #expect(try await pools(calico, .v6) == [full, "fe80:0:0:2::/64"])
    #expect(try await pools(calico, requested: ["20.0.0.0/24"]) == ["20.0.0.0/24"])
    #expect(try await pools(calico, requested: ["10.0.0.0/24"]) == ["10.0.0.1/24"])
    #expect(try await pools(calico, requested: ["10.0.0.7/24"]) == ["10.0.0.1/24"])
    #expect(try await pools(calico, .v6, requested: ["fe80:0:0:1::/64"]) == [full])
    #expect(
      try await pools(calico, requested: ["20.0.0.0/24", "10.0.0.0/24"]) == ["20.0.0.0/24", "10.0.0.1/24"])
  }

  @Test("42: node selectors filter, unless pools are requested", arguments: modes)
  func nodeSelectors(mode: Mode) async throws {
    let (match, mismatch) = ("foo == 'bar'", "foo != 'bar'")
    let calico = cluster(mode, nodes: [match, mismatch, mismatch, match])
    #expect(try await pools(calico) == ["10.0.0.1/24"])
    #expect(try await pools(calico, .v6) == ["fe80:0:0:2::/64"])
    #expect(try await pools(calico, requested: ["20.0.0.0/24"]) == ["20.0.0.0/24"])
    let none = cluster(mode, nodes: [mismatch, mismatch, mismatch, mismatch])
    let error = try await failure { try await pools(none) }
    #expect(error?.description == "no configured Calico pools for node host-a")
  }

  @Test("42: a disabled pool is none, and one that is not automatic has to be requested", arguments: modes)
  func disabled(mode: Mode) async throws {
    let calico = cluster(mode)
    calico.pool("10.0.0.1/24", name: "pool1", isDisabled: true)
    #expect(try await pools(calico) == ["20.0.0.0/24"])
    let error = try await failure { try await pools(calico, requested: ["10.0.0.0/24"]) }
    #expect(error?.description == "the given pool (10.0.0.0/24) does not exist, or is not enabled")
    calico.pool("10.0.0.1/24", name: "pool1", isManual: true)
    #expect(try await pools(calico) == ["20.0.0.0/24"])
    #expect(try await pools(calico, requested: ["10.0.0.0/24"]) == ["10.0.0.1/24"])
  }

  private struct Case: Sendable {
    var selector: String
    var labels: [String: String]
    var matches: Bool
  }

  @Test("43: namespace selectors filter as node selectors do", arguments: modes)
  func namespaceSelectors(mode: Mode) async throws {
    let production = ["environment": "production"]
    let cases = [
      Case(selector: "", labels: [:], matches: true),
      Case(selector: "", labels: production, matches: true),
      Case(selector: "environment == 'production'", labels: production, matches: true),
      Case(selector: "environment == 'production'", labels: ["environment": "development"], matches: false),
      Case(selector: "environment == 'production'", labels: [:], matches: false),
      Case(selector: "environment == 'production' && team == 'a'", labels: production, matches: false),
      Case(
        selector: "environment == 'production' && team == 'a'", labels: ["environment": "production", "team": "a"],
        matches: true),
      Case(selector: "has(environment)", labels: [:], matches: false),
      Case(selector: "!has(environment)", labels: [:], matches: true),
      Case(selector: "environment != 'production'", labels: [:], matches: true),
    ]
    for item in cases {
      let calico = Cluster(mode)
      calico.node("host-a")
      calico.pool("10.0.0.0/24", namespaces: item.selector)
      calico.pool("20.0.0.0/24")
      let expected = item.matches ? ["10.0.0.0/24", "20.0.0.0/24"] : ["20.0.0.0/24"]
      #expect(try await pools(calico, namespace: item.labels) == expected, "\(item.selector) \(item.labels)")
      #expect(try await pools(calico, requested: ["10.0.0.0/24"], namespace: item.labels) == ["10.0.0.0/24"])
    }
  }

  @Test("43: both the node and the namespace have to match", arguments: modes)
  func both(mode: Mode) async throws {
    let production = ["environment": "production"]
    let calico = Cluster(mode)
    calico.node("host-a", labels: ["foo": "bar"])
    calico.pool("10.0.0.0/24", nodes: "foo == 'bar'", namespaces: "environment == 'production'")
    calico.pool("20.0.0.0/24", nodes: "foo == 'no'", namespaces: "environment == 'production'")
    calico.pool("30.0.0.0/24", nodes: "foo == 'bar'", namespaces: "environment == 'development'")
    #expect(try await pools(calico, namespace: production) == ["10.0.0.0/24"])
    calico.pool("20.0.0.0/24", namespaces: "")
    #expect(try await pools(calico, namespace: production) == ["10.0.0.0/24", "20.0.0.0/24"])
  }

  @Test("43: a selector that cannot be read fails the request, unless pools are requested", arguments: modes)
  func unreadable(mode: Mode) async throws {
    let calico = Cluster(mode)
    calico.node("host-a")
    calico.pool("10.0.0.0/24", namespaces: "invalid selector syntax [")
    #expect(try await failure { try await pools(calico) }?.code == .invalidRequest)
    #expect(try await pools(calico, requested: ["10.0.0.0/24"]) == ["10.0.0.0/24"])
    let assigned = try await calico.assign(v4: 1)
    #expect(assigned.error?.code == .invalidRequest)
    #expect(assigned.family(.v4) == nil)
  }
}
