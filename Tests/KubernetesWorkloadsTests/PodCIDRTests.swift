import CalicoBackend
import IPAddressing
import KubernetesWorkloads
import Testing

@Suite("Pod CIDRs of a node")
struct PodCIDRTests {
  private func node(_ podCIDRs: String...) -> NodeFacts { NodeFacts(name: "a", podCIDRs: podCIDRs) }

  private func failure(_ node: NodeFacts) -> String? {
    do throws(CalicoFailure) {
      _ = try PodCIDRs(node)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("One network of a family stands for that family alone")
  func single() throws {
    let v4 = try PodCIDRs(node("10.65.3.0/24"))
    #expect(try v4.require(.v4) == CIDR("10.65.3.0/24"))
    #expect(throws: CalicoFailure("usePodCidrIPv6 found but there is no IPv6 CIDR configured")) {
      try v4.require(.v6)
    }
    let v6 = try PodCIDRs(node("fd00:65:3::/64"))
    #expect(try v6.require(.v6) == CIDR("fd00:65:3::/64"))
    #expect(throws: CalicoFailure("usePodCidr found but there is no IPv4 CIDR configured")) { try v6.require(.v4) }
  }

  @Test("Of each family the last one counts, in whatever order they stand")
  func lastOfFamily() throws {
    let networks = try PodCIDRs(node("10.65.3.0/24", "fd00:65:3::/64", "10.65.4.0/24"))
    #expect(networks.v4 == CIDR("10.65.4.0/24"))
    #expect(networks.v6 == CIDR("fd00:65:3::/64"))
    #expect(try PodCIDRs(node("fd00:65:3::/64", "10.65.3.0/24")).v4 == CIDR("10.65.3.0/24"))
  }

  @Test("None, two of one family alone, and what is no network are refused")
  func refusals() {
    #expect(failure(node()) == "no podCidr for node a")
    #expect(failure(node("10.65.3.0/24", "10.65.4.0/24")) == "ClusterCIDR contains two ranges of the same type")
    #expect(failure(node("fd00::/64", "fd01::/64")) == "ClusterCIDR contains two ranges of the same type")
    #expect(failure(node("usePodCidr")) == "invalid CIDR address: usePodCidr")
  }
}
