import IPAM
import Testing

@testable import HostLocal

@Suite("The content of a reservation")
struct ReservationContentTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let bytes: String
    let content: ReservationContent
    var testDescription: String { bytes.debugDescription }
  }

  @Test(
    "is read as whose the address is",
    arguments: [
      Case(bytes: "c1\r\neth0", content: .attachment(containerID: Array("c1".utf8), interfaceName: Array("eth0".utf8))),
      Case(
        bytes: " c1\r\neth0\n\u{3000}",
        content: .attachment(containerID: Array("c1".utf8), interfaceName: Array("eth0".utf8))),
      Case(bytes: "c1", content: .container(Array("c1".utf8))),
      Case(bytes: "c1\r\n", content: .container(Array("c1".utf8))),
      Case(bytes: "c1\neth0", content: .container(Array("c1\neth0".utf8))),
      Case(bytes: "", content: .damaged),
      Case(bytes: "\0\0\0", content: .damaged),
    ]
  )
  func reads(_ sample: Case) {
    #expect(ReservationContent(Array(sample.bytes.utf8)) == sample.content)
  }

  @Test("is written as container, CR, LF, interface and nothing more")
  func writes() {
    #expect(ReservationContent.bytes(for: .container("c1")) == [0x63, 0x31, 0x0D, 0x0A, 0x65, 0x74, 0x68, 0x30])
  }

  @Test("keeps bytes that are not UTF-8 when white space is trimmed")
  func trimsBytes() {
    #expect(Array(ReservationContent.trimmed([0x20, 0xFF, 0x20, 0xFE, 0x0A])) == [0xFF, 0x20, 0xFE])
    #expect(Array(ReservationContent.trimmed([0x20, 0x09])) == [])
  }
}
