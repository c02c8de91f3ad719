import IPAddressing
import Testing

@testable import ipamctl

@Suite("The kernel's address lists")
final class AddressFilesTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  /// As a container's namespace with 10.1.2.2/24 and a default route shows it, shortened in no place that matters.
  static let fibTrie = """
    Main:
      +-- 0.0.0.0/0 3 0 5
         |-- 0.0.0.0
            /0 universe UNICAST
         +-- 10.1.2.0/24 2 0 2
            +-- 10.1.2.0/30 2 0 2
               |-- 10.1.2.0
                  /24 link UNICAST
               |-- 10.1.2.2
                  /32 host LOCAL
            |-- 10.1.2.255
               /32 link BROADCAST
         +-- 127.0.0.0/8 2 0 2
            +-- 127.0.0.0/31 1 0 0
               |-- 127.0.0.0
                  /8 host LOCAL
               |-- 127.0.0.1
                  /32 host LOCAL
            |-- 127.255.255.255
               /32 link BROADCAST
    Id 10:
      +-- 0.0.0.0/0 3 0 5
         |-- 10.9.0.7
            /32 link UNICAST
            /32 host LOCAL
    """

  @Test("give the host routes of type local as IPv4 addresses, of all tables, and nothing else")
  func fibTrie() {
    let addresses = AddressFiles.addresses(fibTrie: Array(Self.fibTrie.utf8))
    #expect(addresses.map(\.description).sorted() == ["10.1.2.2", "10.9.0.7", "127.0.0.1"])
  }

  @Test("give the first column as IPv6 addresses")
  func ifInet6() {
    let text = """
      fe8000000000000000fc00fffe000001 04 40 20 80     eth0
      20010db8000100000000000000000002 04 40 00 82     eth0
      00000000000000000000000000000001 01 80 10 80       lo

      20010db8 04 40 00 82     eth0
      """
    let addresses = AddressFiles.addresses(ifInet6: Array(text.utf8))
    #expect(addresses.map(\.description).sorted() == ["2001:db8:1::2", "::1", "fe80::fc:ff:fe00:1"])
  }

  @Test(
    "give nothing when they are empty or anything else",
    arguments: ["", "\n", "|-- x\n/32 host LOCAL", "/32 host LOCAL"])
  func nothing(_ text: String) {
    #expect(AddressFiles.addresses(fibTrie: Array(text.utf8)).isEmpty)
    #expect(AddressFiles.addresses(ifInet6: Array(text.utf8)).isEmpty)
  }

  @Test("of a kernel without IPv6 have only IPv4 addresses")
  func withoutV6() throws {
    try host.remove("/proc/1/net/if_inet6")
    let addresses = try AddressFiles.addresses(in: host.root + "/proc/1/net")
    #expect(addresses.map(\.description).sorted() == ["127.0.0.1", "192.0.2.2"])
  }

  @Test("of a process that just ended are absent, not incomplete")
  func ended() throws {
    try host.remove("/proc/1/net/if_inet6")
    try host.remove("/proc/1/net/dev")
    let failure = #expect(throws: HostFiles.Failure.self) {
      try AddressFiles.addresses(in: host.root + "/proc/1/net")
    }
    #expect(failure?.isAbsence == true)
  }
}
