import Glibc
import Netlink
import Testing

@Suite("Values of netlink")
struct ValueTests {
  @Test(
    "the version of a kernel is read from the beginning of its name",
    arguments: [
      ("6.1.0-18-amd64", KernelRelease(major: 6, minor: 1)), ("5.7", KernelRelease(major: 5, minor: 7)),
      ("6.18.44-fc", KernelRelease(major: 6, minor: 18)), ("4.19-rc1", KernelRelease(major: 4, minor: 19)),
      ("6", nil), ("", nil), ("a.b", nil), ("6.", nil), ("6.x", nil),
    ] as [(String, KernelRelease?)]
  )
  func release(text: String, release: KernelRelease?) {
    #expect(KernelRelease(text) == release)
  }

  @Test("versions are in order by number, not by letter")
  func releaseOrder() {
    #expect(KernelRelease(major: 5, minor: 7) < KernelRelease(major: 5, minor: 10))
    #expect(KernelRelease(major: 5, minor: 19) < KernelRelease(major: 6, minor: 0))
    #expect(KernelRelease.current() != nil)
  }

  @Test("an error says what was attempted, what the kernel said, and what to do")
  func descriptions() {
    let refusal = KernelRefusal(errno: ENETUNREACH, explanation: "Nexthop has invalid gateway")
    #expect(refusal.description == "Network is unreachable (error 101): Nexthop has invalid gateway")
    #expect(KernelRefusal(errno: EPERM).description.contains("CAP_NET_ADMIN"))
    #expect(
      NetlinkError(.refused(KernelRefusal(errno: EBUSY)), "list routes", errno: EBUSY).description
        == "cannot list routes: the kernel refused: Device or resource busy (error 16)")
    #expect(
      NetlinkError(.unusable, "open a socket for events", errno: EMFILE).description
        == "cannot open a socket for events: the netlink socket cannot be used (Too many open files (error 24))")
    for code in [NetlinkError.Code.timeout, .overflow, .interrupted, .malformed] {
      #expect(NetlinkError(code, "list routes").description.hasPrefix("cannot list routes: "))
    }
  }
}
