import IPAM
import Testing

@Suite("Names of attachments")
struct AttachmentTests {
  @Test("every byte is judged, the first one more strictly")
  func bytes() {
    let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    let others = Set("_.-".utf8)
    for byte in UInt8.min...UInt8.max {
      #expect(Attachment.isValid(containerID: [byte]) == letters.contains(byte), "byte \(byte)")
      let isLater = letters.contains(byte) || others.contains(byte)
      #expect(Attachment.isValid(containerID: [0x61, byte]) == isLater, "byte \(byte)")
      #expect(Attachment.isValid(containerID: [0x61, byte, 0x7A]) == isLater, "byte \(byte)")
    }
  }

  @Test("an empty text names nothing")
  func empty() {
    #expect(!Attachment.isValid(containerID: []))
  }

  @Test("interface names are bytes")
  func interfaceNames() {
    #expect(InterfaceName("eth0") == InterfaceName(bytes: [0x65, 0x74, 0x68, 0x30]))
    #expect(InterfaceName("é") != InterfaceName("e\u{301}"))
    #expect(InterfaceName(bytes: [0xFF]) != InterfaceName(bytes: [0xFE]))
    #expect(InterfaceName(bytes: [0x61, 0xFF]).description == "a\u{FFFD}")
    #expect(InterfaceName("eth0").description == "eth0")
  }

  @Test("an attachment is a container and an interface")
  func identity() {
    let attachment = Attachment(containerID: "c1", interfaceName: InterfaceName("eth0"))
    #expect(attachment == Attachment(containerID: "c1", interfaceName: InterfaceName("eth0")))
    #expect(attachment != Attachment(containerID: "c1", interfaceName: InterfaceName("eth1")))
    #expect(attachment != Attachment(containerID: "c2", interfaceName: InterfaceName("eth0")))
  }

  private struct Failure: IPAMFailure {
    var category = FailureCategory.failed
    var message: String
    var details: String
  }

  @Test("a failure reads as its message, and its details if there are any")
  func failureText() {
    #expect(Failure(message: "full", details: "").description == "full")
    #expect(Failure(message: "full", details: "5 of 5 in use").description == "full; 5 of 5 in use")
  }

  @Test("name resolution is empty if all its parts are")
  func dns() {
    #expect(DNSConfiguration().isEmpty)
    let changes: [(inout DNSConfiguration) -> Void] = [
      { $0.nameservers = ["192.0.2.3"] }, { $0.domain = "example.com" }, { $0.search = ["a"] }, { $0.options = ["b"] },
    ]
    for change in changes {
      var dns = DNSConfiguration()
      change(&dns)
      #expect(!dns.isEmpty)
    }
  }
}
