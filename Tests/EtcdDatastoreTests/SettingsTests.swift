import Datastore
import DatastoreSettings
import Testing

@testable import EtcdDatastore

@Suite("Settings of etcd are understood, or refused with what to do")
struct SettingsTests {
  @Test(
    "an endpoint is a URL, or a host and a port",
    arguments: [
      ("http://10.0.0.1:2379", "http://10.0.0.1:2379"),
      ("https://etcd.example.com:4001/", "https://etcd.example.com:4001"),
      ("10.0.0.1", "http://10.0.0.1:2379"), ("etcd:23790", "http://etcd:23790"),
      ("http://[fd00::1]:2379", "http://[fd00::1]:2379"), ("[fd00::1]", "http://[fd00::1]:2379"),
      ("fd00::1", "http://[fd00::1]:2379"), ("https://[::1]", "https://[::1]:2379"),
    ])
  func endpoints(text: String, expected: String) throws {
    #expect(try EtcdEndpoint(text, hasMaterial: false).description == expected)
  }

  @Test("without a scheme certificates decide, with one they do not")
  func schemes() throws {
    #expect(try EtcdEndpoint("10.0.0.1:2379", hasMaterial: true).usesTLS)
    #expect(try EtcdEndpoint("http://10.0.0.1:2379", hasMaterial: true).usesTLS == false)
    #expect(try EtcdEndpoint("https://10.0.0.1:2379", hasMaterial: false).usesTLS)
  }

  @Test(
    "what is no endpoint is refused",
    arguments: [
      "ftp://10.0.0.1", "http://", "http://host:0", "host:99999", "http://host:1/path", "[10.0.0.1]:2379", "[fd00::1",
      "[fd00::1]2379", "user@host:1", "a:b:c", "unix://etcd.sock", ":2379",
    ])
  func badEndpoints(text: String) throws {
    let error = try #require(throws: DatastoreError.self) { try EtcdEndpoint(text, hasMaterial: false) }
    #expect(error.code == .unusable)
    #expect(error.description.contains("the etcd endpoint \"\(text)\""))
    #expect(error.advice.contains("https://10.0.0.1:2379"))
  }

  private func refusal(_ change: (inout EtcdSettings) -> Void) throws -> String {
    var settings = EtcdSettings()
    change(&settings)
    return try #require(throws: DatastoreError.self) { _ = try EtcdDatastore(settings) }.description
  }

  @Test("settings that say nothing, or too much, are refused in the original's words")
  func contradictions() throws {
    #expect(try refusal { $0.endpoints = [" ", ""] } == "no etcd endpoints specified")
    let both = try refusal { settings in
      settings.endpoints = ["10.0.0.1"]
      settings.discoveryDomain = "example.com"
    }
    #expect(
      both == "multiple discovery or bootstrap options specified, use either \"etcdEndpoints\" or \"etcdDiscoverySrv\"")
    let mixed = try refusal { settings in
      settings.endpoints = ["10.0.0.1"]
      settings.authority = .file("/ca.crt")
      settings.key = .text("key")
    }
    #expect(mixed == "Cannot mix inline certificate-key and certificate / key files")
  }

  @Test("a file that is missing, or is no certificate, is named")
  func files() throws {
    let missing = try refusal { settings in
      settings.endpoints = ["https://10.0.0.1"]
      settings.authority = .file("/nowhere/ca.crt")
    }
    #expect(missing == "cannot read the etcd CA certificate /nowhere/ca.crt: no such file or directory")
    let nonsense = try refusal { settings in
      settings.endpoints = ["https://10.0.0.1"]
      settings.authority = .text("nonsense")
    }
    #expect(nonsense == "the etcd CA certificate in the configuration is not one in PEM form")
    let file = try refusal { settings in
      settings.endpoints = ["https://10.0.0.1"]
      settings.authority = .file("/etc/passwd")
    }
    #expect(file == "the etcd CA certificate in the file /etc/passwd is not one in PEM form")
  }

  @Test("SRV records are read, and tried by priority and weight")
  func records() {
    var message: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]
    func label(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
    // At 12: the name that was asked for, whose last part the answers point at.
    message += label("_etcd-client") + label("_tcp") + label("example") + [0]
    message += [0, 33, 0, 1]
    for (priority, name) in [(20, "b"), (10, "a")] as [(UInt8, String)] {
      let target = label(name) + [0xC0, 30]
      message += [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, UInt8(6 + target.count)]
      message += [0, priority, 0, 5, 0x09, 0x4B] + target
    }
    let records = ServiceRecord.all(in: message)
    #expect(records.sorted().map(\.target) == ["a.example", "b.example"])
    #expect(records.map(\.port) == [2379, 2379])
    for length in message.indices { #expect(ServiceRecord.all(in: Array(message[..<length])).count < 2) }
    // A name that points at itself.
    #expect(ServiceRecord.all(in: [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xC0, 12]).isEmpty)
  }
}
