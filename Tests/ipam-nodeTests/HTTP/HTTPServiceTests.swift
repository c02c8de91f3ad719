import IPAddressing
import NIOCore
import Testing

@testable import ipam_node

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Answers over HTTP")
struct HTTPServiceTests {
  @Test(
    "a port that cannot be had is named, with the setting to change",
    arguments: [
      (EADDRINUSE, "cannot answer on 127.0.0.1:9098: port 9098 is in use by another program; "),
      (EADDRNOTAVAIL, "cannot answer on 127.0.0.1:9098: this host has no address 127.0.0.1; "),
      (EACCES, "cannot answer on 127.0.0.1:9098: permission denied; "),
    ])
  func explanations(_ code: Int32, _ text: String) {
    let explanation = HTTPService.explanation(IOError(errnoCode: code, reason: "bind"), .standard)
    #expect(
      explanation
        == text + "set listen (--listen) to another address, or to off; routes are programmed all the same")
  }
}
