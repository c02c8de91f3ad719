import IPAddressing
import Testing

@testable import Routing

@Suite("Settings of the machine")
struct HostSettingsTests {
  private func names(_ settings: [String: String], interfaces: [String] = ["eth0", "vxlan.calico"]) -> Set<String> {
    let conditions = HostSettings { settings[$0] }.conditions([.v4, .v6], interfaces: interfaces)
    return Set(conditions.compactMap { $0.value == nil ? nil : $0.key.name })
  }

  @Test("forwarding that is off is told, and what is unknown is not")
  func forwarding() {
    #expect(names([:]).isEmpty)
    #expect(names(["ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"]).isEmpty)
    #expect(
      names(["ipv4/ip_forward": "0", "ipv6/conf/all/forwarding": "0"]) == [
        "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
      ])
  }

  @Test("only families that are routed count")
  func families() {
    let conditions = HostSettings { _ in "0" }.conditions([.v6], interfaces: [])
    #expect(Set(conditions.compactMap { $0.value == nil ? nil : $0.key.name }) == ["net.ipv6.conf.all.forwarding"])
  }

  @Test(
    "a strict reverse path filter is told: the stricter of both settings counts",
    arguments: [("0", "0", false), ("1", "0", true), ("0", "1", true), ("2", "1", false), ("1", "2", false)])
  func filter(_ all: String, _ eth0: String, _ isTold: Bool) {
    let settings = ["ipv4/conf/all/rp_filter": all, "ipv4/conf/eth0/rp_filter": eth0]
    #expect(names(settings, interfaces: ["eth0"]) == (isTold ? ["net.ipv4.conf.rp_filter"] : []))
  }
}
